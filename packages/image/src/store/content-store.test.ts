import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeContentStore } from './contract.testkit.ts';
import { createMemoryStore } from './memory-store.ts';
import { createLayout, openStore } from './open.ts';
import type { ImageStore } from './store.ts';

function onDisk(open: (directory: string) => Promise<ImageStore>) {
  return async () => {
    const directory = await mkdtemp(join(tmpdir(), 'ocijs-store-'));
    const store = await open(directory);
    return {
      store,
      async [Symbol.asyncDispose]() {
        await store[Symbol.asyncDispose]();
        await rm(directory, { recursive: true });
      },
    };
  };
}

describeContentStore('openStore', onDisk(openStore));
describeContentStore('createLayout', onDisk(createLayout));
describeContentStore('createMemoryStore', async () => {
  const store = createMemoryStore();
  return { store, [Symbol.asyncDispose]: () => store[Symbol.asyncDispose]() };
});
