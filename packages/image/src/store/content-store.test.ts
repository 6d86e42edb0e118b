import { describeContentStore } from './contract.testkit.ts';
import { createMemoryStore } from './memory-store.ts';
import { createLayout, openStore } from './open.ts';
import { scratch } from './scratch.testkit.ts';
import type { ImageStore } from './store.ts';

function onDisk(open: (directory: string) => Promise<ImageStore>) {
  return async () => {
    const place = await scratch();
    const store = await open(place.directory);
    return {
      store,
      async [Symbol.asyncDispose]() {
        await store[Symbol.asyncDispose]();
        await place[Symbol.asyncDispose]();
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
