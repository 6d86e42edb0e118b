import { createHash } from 'node:crypto';
import { digestBytes } from '../digest/hasher.ts';
import { MediaType } from '../media-types.ts';
import { openStore } from './open.ts';

// A process that stores blobs, some of them the same as its siblings', and names them, until it is killed.
const [directory = '', seed = '0', rounds = 'Infinity'] = process.argv.slice(2);
const mediaType = MediaType.layer;

/** The same bytes for the same number, in every process. */
function bytesOf(number: number): Buffer {
  const block = createHash('sha512').update(String(number)).digest();
  return Buffer.concat(Array<Buffer>(1000 + (number % 3000)).fill(block));
}

await using store = await openStore(directory);
for (let round = 0; round < Number(rounds); round++) {
  const bytes = bytesOf(round % 2 === 0 ? round : Number(seed) * 1000 + round);
  const descriptor = { mediaType, digest: digestBytes(bytes), size: bytes.length };
  {
    await using ingest = await store.ingest(descriptor);
    while (ingest.offset < bytes.length)
      await ingest.write(bytes.subarray(ingest.offset, ingest.offset + 4096));
    await ingest.commit();
  }
  const name = `example.com/image:${seed}-${round % 10}`;
  await store.tag(name, descriptor);
  // What was said to be done must be found after the kill.
  process.stdout.write(`${name} ${descriptor.digest}\n`);
}
