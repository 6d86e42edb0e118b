import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buildLayer, openStore, writeImage } from '@ocijs/image';
import type { CommandResult } from '../../kit/command.ts';
import { busyboxImage } from '../../kit/images.ts';
import { oci, ociHome } from '../../kit/oci.ts';
import { missing } from '../../kit/requirements.ts';
import { temporaryDirectory } from '../../kit/temporary.ts';

/** Why builds cannot be attacked here; false when they can. */
export const skip: string | false = missing({ root: true, commands: ['busybox'] });

/** A store with the image `busybox`, a context, and a directory of the host that no build may touch or show. */
export interface Arena extends AsyncDisposable {
  readonly directory: string;
  readonly store: string;
  readonly context: string;
  /** Holds `marker`, with the text of {@link marker}, and the empty directory `empty`. */
  readonly outside: string;
  build(dockerfile: string, ...flags: readonly string[]): Promise<CommandResult>;
  oci(...args: readonly string[]): Promise<CommandResult>;
  /** An image of busybox whose configuration, and a further layer, an attacker chose. */
  hostileImage(
    name: string,
    options: Pick<Parameters<typeof writeImage>[1], 'config'> & {
      readonly entries?: Parameters<typeof buildLayer>[0];
    },
  ): Promise<void>;
  /** What is wrong outside, if anything. */
  damage(): Promise<readonly string[]>;
}

/** What nobody inside may read. */
export const marker = 'text of the host alone';

/** Makes an arena below the temporary files. */
export async function makeArena(): Promise<Arena> {
  const temporary = await temporaryDirectory();
  const directory = temporary.path;
  const home = ociHome(directory);
  const [context, outside] = [join(directory, 'context'), join(directory, 'outside')];
  await mkdir(context);
  await mkdir(join(outside, 'empty'), { recursive: true });
  await writeFile(join(outside, 'marker'), marker);
  {
    await using store = await openStore(home.store);
    await busyboxImage(store, 'docker.io/library/busybox:latest');
  }
  let count = 0;
  const run = (...args: readonly string[]): Promise<CommandResult> => oci(home, args, { timeoutMs: 60_000 });
  return {
    directory,
    store: home.store,
    context,
    outside,
    oci: run,
    async build(dockerfile, ...flags) {
      count += 1;
      const file = join(directory, `Dockerfile-${count}`);
      await writeFile(file, dockerfile);
      return run('build', '--progress', 'plain', ...flags, '-f', file, context);
    },
    async hostileImage(name, { config, entries = [] }) {
      await using store = await openStore(home.store);
      const base = await store.image('docker.io/library/busybox:latest');
      const [first, second] = base.manifest.layers;
      const [firstId, secondId] = base.config.rootfs.diff_ids;
      if (first === undefined || second === undefined || firstId === undefined || secondId === undefined)
        throw new Error('busybox has two layers');
      await writeImage(store, {
        name: `docker.io/library/${name}:latest`,
        layers: [
          { descriptor: first, diffId: firstId },
          { descriptor: second, diffId: secondId },
          await buildLayer(entries),
        ],
        config,
      });
    },
    async damage() {
      const found: string[] = [];
      const names = await readdir(outside);
      if (names.sort().join() !== 'empty,marker') found.push(`outside has ${names.join()}`);
      if ((await readdir(join(outside, 'empty'))).length > 0) found.push('something is in empty');
      if ((await readFile(join(outside, 'marker'), 'utf8')) !== marker) found.push('the marker changed');
      const mounts = await readFile('/proc/self/mounts', 'utf8');
      if (mounts.includes(directory)) found.push('something is mounted');
      return found;
    },
    [Symbol.asyncDispose]: async () => {
      await rm(context, { recursive: true, force: true });
      await temporary[Symbol.asyncDispose]();
    },
  };
}
