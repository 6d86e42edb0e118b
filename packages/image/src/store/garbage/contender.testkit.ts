import { setTimeout as sleep } from 'node:timers/promises';
import type { Descriptor } from '../../descriptor.ts';
import { textImage } from '../images.testkit.ts';
import { imageDigests } from '../lease/image-digests.ts';
import { createMemoryStore } from '../memory-store.ts';
import { removeImage } from '../naming/remove-image.ts';
import { tagImage } from '../naming/tag-image.ts';
import { openStore } from '../open.ts';
import type { ImageStore } from '../store.ts';
import { collectGarbage } from './collect-garbage.ts';

// A process that brings images into a store and names them, as often as it was told, or one that collects garbage until
// its standard input ends; an image that has a name must be complete at any moment. It prints a line for each round.
const [directory = '', role = '', rounds = '0'] = process.argv.slice(2);
await using store = await openStore(directory);

/** As a pull does: what is there is not written again. */
async function bring(source: ImageStore, top: Descriptor, name: string): Promise<void> {
  const image = await source.image(top);
  await using _lease = await store.lease({ digests: imageDigests(image), purpose: name });
  for (const blob of [image.manifest.config, ...image.manifest.layers, top]) {
    if ((await store.size(blob.digest)) === blob.size) continue;
    await using ingest = await store.ingest(blob);
    if (ingest.offset === blob.size) continue;
    await ingest.reset();
    for await (const chunk of source.read(blob)) await ingest.write(chunk);
    await ingest.commit();
  }
  await store.tag(name, top);
}

async function assertComplete(name: string): Promise<void> {
  const image = await store.image(name);
  for (const blob of [image.manifest.config, ...image.manifest.layers]) await store.readAll(blob);
}

async function writer(): Promise<void> {
  await using source = createMemoryStore();
  const name = `example.com/${process.pid}`;
  for (let round = 0; round < Number(rounds); round++) {
    // Few different layers, so that the images of all processes overlap.
    const texts = [0, 1, 2].map(() => `layer ${Math.floor(Math.random() * 5)}`);
    await bring(source, await textImage(source, texts, { author: 'x' }), `${name}:a`);
    await assertComplete(`${name}:a`);
    await tagImage(store, `${name}:a`, { target: `${name}:b` });
    await removeImage(store, `${name}:a`);
    await sleep(Math.random() * 5);
    await assertComplete(`${name}:b`);
    if (Math.random() < 0.5) await removeImage(store, `${name}:b`);
    process.stdout.write('1\n');
  }
}

async function collector(): Promise<void> {
  let ending = false;
  process.stdin.on('end', () => {
    ending = true;
  });
  process.stdin.resume();
  while (!ending) {
    const { blobs } = await collectGarbage(store, { graceMs: 0 });
    process.stdout.write(`${blobs.filter(({ kept }) => !kept).length}\n`);
  }
}

await (role === 'collector' ? collector() : writer());
