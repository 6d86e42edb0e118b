import { createCipheriv, createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import {
  type Descriptor,
  encodeJson,
  type ImageStore,
  type Index,
  MediaType,
  openStore,
  type Platform,
  type Store,
} from '@ocijs/image';

/** A directory that is removed at the end of the scope. */
export interface TemporaryDirectory extends AsyncDisposable {
  readonly path: string;
}

/** Makes a temporary directory. */
export async function temporaryDirectory(): Promise<TemporaryDirectory> {
  const path = await mkdtemp(join(tmpdir(), 'ocijs-registry-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/** A store in a temporary directory. */
export interface TemporaryStore extends AsyncDisposable {
  readonly store: Store;
  readonly path: string;
}

/** Makes an empty store that is removed at the end of the scope. */
export async function temporaryStore(): Promise<TemporaryStore> {
  const directory = await temporaryDirectory();
  const path = join(directory.path, 'store');
  const store = await openStore(path);
  return {
    store,
    path,
    async [Symbol.asyncDispose]() {
      await store[Symbol.asyncDispose]();
      await directory[Symbol.asyncDispose]();
    },
  };
}

/** Bytes that look random and are the same for the same seed. */
export function seededBytes(size: number, seed: number): Uint8Array {
  const key = Buffer.alloc(16, seed);
  return createCipheriv('aes-128-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(size));
}

/** What {@link makeImage} makes. */
export interface ImageRecipe {
  /** Bytes of each layer before compression. */
  readonly layers?: readonly number[];
  readonly platform?: Platform;
  readonly seed?: number;
}

/** Puts an image with layers of noise into a store and returns its manifest's descriptor. */
export async function makeImage(
  store: ImageStore,
  {
    layers = [3_000, 200_000],
    platform = { os: 'linux', architecture: 'amd64' },
    seed = 1,
  }: ImageRecipe = {},
): Promise<Descriptor> {
  const tars = layers.map((size, position) => seededBytes(size, seed * 16 + position));
  const described: Descriptor[] = [];
  for (const tar of tars)
    described.push(await store.put(gzipSync(tar, { level: 1 }), { mediaType: MediaType.layerGzip }));
  const diffIds = tars.map((tar) => `sha256:${createHash('sha256').update(tar).digest('hex')}`);
  const config = { ...platform, config: { Cmd: ['/bin/sh'] }, rootfs: { type: 'layers', diff_ids: diffIds } };
  const configDescriptor = await store.put(encodeJson(config), { mediaType: MediaType.config });
  const manifest = {
    schemaVersion: 2,
    mediaType: MediaType.manifest,
    config: configDescriptor,
    layers: described,
  };
  return store.put(encodeJson(manifest), { mediaType: MediaType.manifest });
}

/** Puts an index over images into a store. */
export async function makeIndex(
  store: ImageStore,
  entries: readonly { readonly descriptor: Descriptor; readonly platform?: Platform }[],
): Promise<Descriptor> {
  const index: Index = {
    schemaVersion: 2,
    mediaType: MediaType.index,
    manifests: entries.map(({ descriptor, platform }) =>
      platform === undefined ? descriptor : { ...descriptor, platform },
    ),
  };
  return store.put(encodeJson(index), { mediaType: MediaType.index });
}
