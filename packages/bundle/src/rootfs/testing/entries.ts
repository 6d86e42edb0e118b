import type { TarEntry, TarEntryType } from '@ocijs/image';
import { createLayerApplier, type LayerApplierOptions } from '../layer.ts';
import { linuxOperations } from '../linux-operations.ts';

/** An entry for tests: a tar header with defaults, and its content. */
export interface TestEntry extends Partial<Omit<TarEntry, 'xattrs'>> {
  readonly content?: string | Buffer;
  readonly xattrs?: Readonly<Record<string, string | Buffer>>;
}

/** 2020-09-13; the time of every entry that has none. */
export const defaultTimeNs = 1_600_000_000_000_000_000n;

/** The header that the tar parser would give. */
export function header({ content, xattrs, ...fields }: TestEntry): TarEntry {
  const type = fields.type ?? 'file';
  return {
    name: '',
    type,
    linkname: '',
    mode: type === 'directory' ? 0o755 : 0o644,
    uid: 0,
    gid: 0,
    uname: '',
    gname: '',
    size: Buffer.byteLength(content ?? ''),
    mtimeNs: defaultTimeNs,
    deviceMajor: 0,
    deviceMinor: 0,
    xattrs: new Map(Object.entries(xattrs ?? {}).map(([name, value]) => [name, Buffer.from(value)])),
    offset: 0,
    ...fields,
  };
}

function ofType(type: TarEntryType): (name: string, fields?: TestEntry) => TestEntry {
  return (name, fields = {}) => ({ ...fields, name, type });
}

export const directory: ReturnType<typeof ofType> = ofType('directory');
export const fifo: ReturnType<typeof ofType> = ofType('fifo');
export const characterDevice: ReturnType<typeof ofType> = ofType('character-device');

/** A regular file. */
export function file(name: string, content = '', fields: TestEntry = {}): TestEntry {
  return { content, ...fields, name, type: 'file' };
}

/** A symbolic link. */
export function symlink(name: string, linkname: string, fields: TestEntry = {}): TestEntry {
  return { ...fields, name, linkname, type: 'symlink' };
}

/** A hard link. */
export function link(name: string, linkname: string): TestEntry {
  return { name, linkname, type: 'link' };
}

/** Applies layers one after the other; as root with owners, otherwise rootless. */
export function applyLayers(
  rootfs: string,
  layers: readonly (readonly TestEntry[])[],
  options: Partial<LayerApplierOptions> = {},
): void {
  const rootless = options.rootless ?? process.getuid?.() !== 0;
  for (const entries of layers) {
    using layer = createLayerApplier(rootfs, {
      operations: linuxOperations(),
      rootless,
      placeholderDevices: rootless,
      uidMap: [],
      gidMap: [],
      keepDirlinks: false,
      ...options,
    });
    for (const entry of entries) {
      layer.entry(header(entry));
      if (entry.content !== undefined && entry.content.length > 0) layer.data(Buffer.from(entry.content));
      layer.end();
    }
    layer.finish();
  }
}
