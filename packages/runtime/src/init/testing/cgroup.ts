import { mkdirSync, rmdirSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/** A group of a test's own, in one hierarchy; disposing removes it once its last process has left. */
export interface TestCgroup extends AsyncDisposable {
  readonly path: string;
}

/** Makes a group below the mount point of a hierarchy. */
export function makeCgroup(mountPoint: string | undefined, name: string): TestCgroup {
  const path = `${mountPoint}/${name}`;
  mkdirSync(path);
  return {
    path,
    async [Symbol.asyncDispose]() {
      for (let tries = 0; ; tries++) {
        try {
          return rmdirSync(path);
        } catch (error) {
          // The last process may still be leaving it.
          if (tries === 100 || (error as NodeJS.ErrnoException).code !== 'EBUSY') throw error;
          await delay(20);
        }
      }
    },
  };
}
