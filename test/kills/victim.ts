import { readFile } from 'node:fs/promises';
import { build, openContext } from '@ocijs/build';
import { repack, unpack } from '@ocijs/bundle';
import { collectGarbage, openStore } from '@ocijs/image';
import { load, pull, push } from '@ocijs/registry';
import { startRegistry } from '@ocijs/registry/server';

// A process that does one thing and says when it begins and what came of it, a line of JSON each.
const [task = '', directory = '', ...rest] = process.argv.slice(2);
const [first = '', second = '', third = ''] = rest;
const say = (value: unknown): void => void process.stdout.write(`${JSON.stringify(value)}\n`);

await using store = await openStore(directory);
switch (task) {
  case 'pull':
    say('ready');
    say((await pull(first, { store })).report.blobs);
    break;
  case 'load':
    say('ready');
    say((await load(first, { store })).flatMap(({ blobs }) => blobs));
    break;
  case 'gc':
    say('ready');
    say((await collectGarbage(store, { graceMs: 0 })).blobs.filter(({ kept }) => !kept).length);
    break;
  case 'push':
    say('ready');
    say((await push(first, second, { store })).blobs);
    break;
  case 'unpack': {
    const image = await store.image('example.com/app:v1');
    say('ready');
    say((await unpack(image, first)).rootfs);
    break;
  }
  case 'repack': {
    const base = await store.image(second);
    say('ready');
    say((await repack(first, store, { base, name: third, clampNs: 0n })).descriptor.digest);
    break;
  }
  case 'build': {
    using context = await openContext(first);
    const dockerfile = await readFile(`${first}/Dockerfile`, 'utf8');
    say('ready');
    const { descriptor, steps } = await build({ store, context, dockerfile, names: ['built:1'] });
    say({ digest: descriptor.digest, ...steps });
    break;
  }
  case 'serve': {
    const onError = (error: unknown): void => void process.stderr.write(`${error}\n`);
    const registry = await startRegistry({ store, onError });
    say('ready');
    say(registry.host);
    // Until it is killed.
    await new Promise(() => undefined);
    break;
  }
  default:
    throw new Error(`no task ${task}`);
}
