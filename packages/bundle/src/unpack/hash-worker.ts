import { createHasher, digestAlgorithm } from '@ocijs/image/digest';
import { consumeRing } from './content-ring.ts';
import { checkStop, serveLayers } from './worker-side.ts';

serveLayers('hashed', async ({ task, ring }, reply) => {
  if (ring === undefined) throw new Error('the hash worker needs a ring');
  const content = consumeRing(ring, { reader: 'hasher', checkStop });
  const hasher = createHasher(digestAlgorithm(task.diffId));
  try {
    for (let chunk = content.next(); chunk !== undefined; chunk = content.next()) hasher.update(chunk);
    reply({ type: 'hashed', digest: hasher.digest() });
  } catch (error) {
    content.abandon();
    throw error;
  }
});
