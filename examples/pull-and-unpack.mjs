// Pulls an image, verified, and unpacks it into a bundle: node examples/pull-and-unpack.mjs debian:bookworm ./bundle
import { unpack } from '@ocijs/bundle';
import { openStore } from '@ocijs/image';
import { pull } from '@ocijs/registry';

const [reference, directory] = process.argv.slice(2);
if (reference === undefined || directory === undefined)
  throw new Error('usage: pull-and-unpack.mjs IMAGE DIRECTORY');

const onEvent = (event) => {
  if (event.type === 'blob-done') console.error(`${event.status} ${event.digest} (${event.total} bytes)`);
};

await using store = await openStore();
const image = await pull(reference, { store, onEvent });
const bundle = await unpack(image, directory, { onEvent });
console.log(`${image.descriptor.digest} in ${bundle.rootfs}: ${bundle.config.process.args.join(' ')}`);
