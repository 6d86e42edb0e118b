import assert from 'node:assert/strict';
import { lstat, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Bundle, type UnpackOptions, unpack } from '@ocijs/bundle';
import {
  createLayout,
  type Digest,
  digestBytes,
  type ExecutionConfig,
  MediaType,
  type TarWriteEntry,
  writeTar,
} from '@ocijs/image';
import { temporaryDirectory } from '../../kit/temporary.ts';

/** A layer as its maker wants it: entries, or the bytes of a blob that claim to be one. */
export type HostileLayer =
  | readonly TarWriteEntry[]
  | { readonly blob: Buffer; readonly mediaType?: string; readonly diffId?: Digest };

/** A place for attacks: what lies outside of the target must stay as it is. */
export interface Arena extends AsyncDisposable {
  /** Where images are unpacked to. */
  readonly target: string;
  /** A directory beside it, with the file `canary`. */
  readonly outside: string;
  /** Unpacks an image of these layers. */
  attack(
    layers: readonly HostileLayer[],
    options?: UnpackOptions & { readonly config?: ExecutionConfig },
  ): Promise<Bundle>;
  /** Fails when anything outside of the target changed. */
  check(): Promise<void>;
}

const secret = 'nobody may read or write this';

/** Makes a place, and the host's own files canaries as well. */
export async function arena(): Promise<Arena> {
  const temporary = await temporaryDirectory();
  const outside = join(temporary.path, 'outside');
  const target = join(temporary.path, 'target');
  await mkdir(outside);
  await writeFile(join(outside, 'canary'), secret, { mode: 0o640 });
  const facts = async (path: string): Promise<object> => {
    const { mode, uid, gid, mtimeNs, nlink, ino } = await lstat(path, { bigint: true });
    return { mode, uid, gid, mtimeNs, nlink, ino };
  };
  const watched = [outside, join(outside, 'canary'), '/etc/passwd', '/etc/hostname', '/etc'];
  const look = () => Promise.all(watched.map((path) => facts(path).catch(() => 'absent')));
  const before = await look();
  return {
    target,
    outside,
    async attack(layers, { config = {}, ...options } = {}) {
      await using store = await createLayout(join(temporary.path, 'layout'));
      const descriptors = [];
      const diffIds: Digest[] = [];
      for (const layer of layers) {
        const isBlob = 'blob' in layer;
        const bytes = isBlob ? layer.blob : await tarOf(layer);
        const mediaType = (isBlob ? layer.mediaType : undefined) ?? MediaType.layer;
        descriptors.push(await store.put(bytes, { mediaType }));
        diffIds.push((isBlob ? layer.diffId : undefined) ?? digestBytes(bytes));
      }
      const json = (value: unknown) => Buffer.from(JSON.stringify(value));
      const platform = { os: 'linux', architecture: process.arch === 'arm64' ? 'arm64' : 'amd64' };
      const rootfs = { type: 'layers', diff_ids: diffIds };
      const configured = await store.put(json({ ...platform, config, rootfs }), {
        mediaType: MediaType.config,
      });
      const manifest = {
        schemaVersion: 2,
        mediaType: MediaType.manifest,
        config: configured,
        layers: descriptors,
      };
      const descriptor = await store.put(json(manifest), { mediaType: MediaType.manifest });
      return await unpack(await store.image(descriptor), target, options);
    },
    async check() {
      assert.deepEqual(await look(), before);
      assert.deepEqual(await readdir(outside), ['canary']);
      assert.equal(await readFile(join(outside, 'canary'), 'utf8'), secret);
      const beside = (await readdir(temporary.path)).sort();
      assert.deepEqual(
        beside.filter((name) => !['layout', 'outside', 'target'].includes(name)),
        [],
      );
    },
    [Symbol.asyncDispose]: () => temporary[Symbol.asyncDispose](),
  };
}

/** The bytes of an archive with these entries. */
export async function tarOf(entries: readonly TarWriteEntry[]): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of writeTar(entries)) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

export const file = (name: string, body = 'x', fields: object = {}): TarWriteEntry => ({
  header: { name, ...fields },
  body: Buffer.from(body),
});
export const directory = (name: string, fields: object = {}): TarWriteEntry => ({
  header: { name, type: 'directory', mode: 0o755, ...fields },
});
export const symlink = (name: string, linkname: string, fields: object = {}): TarWriteEntry => ({
  header: { name, type: 'symlink', linkname, ...fields },
});
export const link = (name: string, linkname: string): TarWriteEntry => ({
  header: { name, type: 'link', linkname },
});
