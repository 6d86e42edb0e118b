import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  buildLayer,
  openStore,
  parsePlatform,
  pathOf,
  readImageTree,
  type Store,
  walkTree,
  writeImage,
} from '@ocijs/image';
import { isOciError } from '@ocijs/image/errors';
import type { BuildEvent, BuildResult } from '../executor/types.ts';
import { type BuildNodeOptions, buildNode } from '../node/build-node.ts';
import { type ProjectFiles, publishedFiles, writeFiles } from './node-shop.ts';

export interface Place extends AsyncDisposable {
  readonly directory: string;
  readonly store: Store;
  readonly events: BuildEvent[];
  build(options?: Partial<BuildNodeOptions>): Promise<BuildResult>;
}

/** A project in `project`, a store, and in it the base `node` of two platforms. */
export async function place(files: ProjectFiles = {}): Promise<Place> {
  const temporary = await mkdtemp(join(tmpdir(), 'oci-node-'));
  const directory = join(temporary, 'project');
  await mkdir(directory);
  await writeFiles(directory, files);
  const store = await openStore(join(temporary, 'store'));
  for (const platform of ['linux/amd64', 'linux/arm64'])
    await writeImage(store, {
      name: `node-${platform.slice(6)}`,
      layers: [await buildLayer([{ header: { name: 'etc/hostname', size: 0 } }])],
      platform: parsePlatform(platform),
      config: { Env: ['PATH=/bin'], Entrypoint: ['start'], Cmd: ['node'] },
    });
  const events: BuildEvent[] = [];
  return {
    directory,
    store,
    events,
    build: (options = {}) =>
      buildNode({
        store,
        directory,
        base: 'node',
        platform: parsePlatform('linux/amd64'),
        resolveImage: (_name, { platform }) => store.image(`node-${platform.architecture}`, { platform }),
        onEvent: (event) => events.push(event),
        ...options,
      }),
    async [Symbol.asyncDispose]() {
      await store[Symbol.asyncDispose]();
      await rm(temporary, { recursive: true });
    },
  };
}

/** The names in the image without those of the base: `mode uid:gid`, or the target of a link. */
export async function filesOf({ image }: BuildResult): Promise<Readonly<Record<string, string>>> {
  const nodes = [...walkTree(await readImageTree(image))];
  return Object.fromEntries(
    nodes.flatMap((node) => {
      const { type, mode, uid, gid, linkname } = node.inode.header;
      const path = pathOf(node);
      if (!path.startsWith('app/') || type === 'directory') return [];
      return [[path.slice(4), type === 'symlink' ? `-> ${linkname}` : `${mode.toString(8)} ${uid}:${gid}`]];
    }),
  );
}

export const digestsOf = ({ image }: BuildResult): readonly string[] =>
  image.manifest.layers.map(({ digest }) => digest);

export const app: ProjectFiles = {
  'package.json': JSON.stringify({
    name: 'app',
    version: '1.0.0',
    main: 'main.js',
    dependencies: { a: '^1.0.0', b: '2' },
  }),
  'package-lock.json': JSON.stringify({
    lockfileVersion: 3,
    packages: {
      '': { dependencies: { a: '^1.0.0', b: '2' } },
      'node_modules/a': { version: '1.2.0' },
      'node_modules/b': { version: '2.0.0' },
    },
  }),
  'main.js': 'require("a");\n',
  ...publishedFiles('node_modules/a', { name: 'a', version: '1.2.0' }),
  ...publishedFiles('node_modules/b', { name: 'b', version: '2.0.0' }),
};

export async function refused(promise: Promise<unknown>, code: string, message: RegExp): Promise<void> {
  await assert.rejects(promise, (error) => {
    assert.ok(isOciError(error, code), String(error));
    assert.match(error.message, message);
    return true;
  });
}
