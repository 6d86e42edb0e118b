import { randomBytes } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  buildLayer,
  type Descriptor,
  digestBytes,
  openStore,
  type Store,
  validateImage,
  writeImage,
} from '@ocijs/image';
import { type CopySourceLocation, copy } from '@ocijs/registry';
import { startRegistry } from '@ocijs/registry/server';
import { dockerRegistry } from '../../kit/docker-registry.ts';
import type { TemporaryDirectory } from '../../kit/temporary.ts';
import type { Medium, Place } from './types.ts';

/** The name inside archives and layouts. */
export const imageName = 'example.com/team/app:v1';

/** Registries, a store with an image, and room. */
export interface MatrixScene extends AsyncDisposable {
  readonly directory: string;
  readonly store: Store;
  readonly image: Descriptor;
  /** Of the config. */
  readonly configDigest: string;
  /** A new place of a medium, by a name that is used once. */
  place(medium: Medium, name: string): Place;
  /** Writes our image there. */
  writeOurs(place: Place): Promise<void>;
  /** Reads what is there, checks all of it, and returns the digest of its config. */
  readTheirs(place: Place): Promise<string>;
}

/** Makes the scene; `withDockerRegistry` when that is installed. */
export async function matrixScene({
  withDockerRegistry,
}: {
  readonly withDockerRegistry: boolean;
}): Promise<MatrixScene> {
  const disposal = new AsyncDisposableStack();
  const directory = disposal.use(await lowerCaseDirectory()).path;
  const served = disposal.use(await startRegistry({ directory: join(directory, 'served') }));
  const other = withDockerRegistry ? disposal.use(await dockerRegistry(directory)) : served;
  const store = disposal.use(await openStore(join(directory, 'store')));
  const layers = [
    await buildLayer(
      [
        { header: { name: 'etc', type: 'directory', mode: 0o755 } },
        { header: { name: 'etc/name', type: 'file', mode: 0o644 }, body: Buffer.from('matrix\n') },
      ],
      { compression: 'gzip' },
    ),
    await buildLayer([{ header: { name: 'link', type: 'symlink', linkname: 'etc/name' } }], {
      compression: 'gzip',
    }),
  ];
  const image = await writeImage(store, { layers, name: imageName, config: { Cmd: ['/bin/sh'] } });
  const configDigest = (await store.image(imageName)).manifest.config.digest;
  const hosts: Partial<Record<Medium, string>> = { 'docker-registry': other.host, 'oci serve': served.host };
  let readings = 0;
  return {
    directory,
    store,
    image,
    configDigest,
    place(medium, name) {
      const host = hosts[medium];
      const extension = medium === 'layout' ? '' : '.tar';
      return {
        medium,
        at: host === undefined ? join(directory, `${name}${extension}`) : `${host}/matrix/${name}:v1`,
      };
    },
    async writeOurs({ medium, at }) {
      const source = { transport: 'store', store, name: imageName } as const;
      if (medium === 'layout') await copy(source, { transport: 'oci', directory: at, name: 'v1' });
      else if (medium === 'oci-archive')
        await copy(source, { transport: 'oci-archive', file: at, name: 'v1' });
      else if (medium === 'docker-archive')
        await copy(source, { transport: 'docker-archive', file: at, name: imageName });
      else await copy(source, { transport: 'registry', reference: at });
    },
    async readTheirs(place) {
      await using target = await openStore(join(directory, `reading-${readings++}`));
      await copy(sourceOf(place), { transport: 'store', store: target, name: imageName });
      const read = await target.image(imageName);
      const violations = await validateImage(read);
      if (violations.length > 0) throw new Error(violations.map(({ message }) => message).join('; '));
      return digestBytes(read.rawConfig);
    },
    [Symbol.asyncDispose]: () => disposal.disposeAsync(),
  };
}

/** podman takes a layout whose path has capital letters for a name, and wants its own paths short. */
async function lowerCaseDirectory(): Promise<TemporaryDirectory> {
  const path = join(tmpdir(), `ocijs-${randomBytes(4).toString('hex')}`);
  await mkdir(path);
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/** The only image of a file or directory; in registries the one that is named. */
function sourceOf({ medium, at }: Place): CopySourceLocation {
  switch (medium) {
    case 'layout':
      return { transport: 'oci', directory: at };
    case 'oci-archive':
    case 'docker-archive':
      return { transport: medium, file: at };
    default:
      return { transport: 'registry', reference: at };
  }
}

/** True for what is reached by name over the network. */
export function isRegistry({ medium }: Place): boolean {
  return medium === 'docker-registry' || medium === 'oci serve';
}
