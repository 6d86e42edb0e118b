import { openStore } from '@ocijs/image';
import { pull } from '@ocijs/registry';

// A process that pulls images into a store, one after the other, and reports each as a line of JSON.
const [directory = '', ...references] = process.argv.slice(2);
await using store = await openStore(directory);
for (const reference of references) {
  const { report } = await pull(reference, { store });
  process.stdout.write(`${JSON.stringify(report)}\n`);
}
