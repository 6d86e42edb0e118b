import type { Digest } from '../../digest/digest.ts';
import type { TarEntryType } from '../../tar/entry.ts';

/**
 * One entry of a table of contents, as eStargz and zstd:chunked write it: a file, or a further chunk of the one before
 * (stargz-snapshotter `docs/estargz.md`, containers/storage `docs/containers-storage-zstd-chunked.md`).
 */
export interface TocEntry {
  readonly name: string;
  readonly type: TocType;
  readonly size?: number;
  readonly modtime?: string;
  readonly linkName?: string;
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly devMajor?: number;
  readonly devMinor?: number;
  /** Base64 values. */
  readonly xattrs?: Readonly<Record<string, string>>;
  /** Of the whole file. */
  readonly digest?: Digest;
  /** Where the compressed chunk begins in the blob. */
  readonly offset?: number;
  /** zstd:chunked only: where the last chunk of the file ends. */
  readonly endOffset?: number;
  readonly chunkOffset?: number;
  /** 0 or absent: up to the end of the file. */
  readonly chunkSize?: number;
  readonly chunkDigest?: Digest;
}

/** What an entry of a table of contents is. */
export type TocType = 'dir' | 'reg' | 'symlink' | 'hardlink' | 'char' | 'block' | 'fifo' | 'chunk';

/** What the table calls the types of tar entries. */
export const tocTypes: Readonly<Record<TarEntryType, TocType>> = {
  file: 'reg',
  directory: 'dir',
  symlink: 'symlink',
  link: 'hardlink',
  'character-device': 'char',
  'block-device': 'block',
  fifo: 'fifo',
};

/** A table of contents; version 1 is the only one. */
export interface Toc {
  readonly version: 1;
  readonly entries: readonly TocEntry[];
  /** zstd:chunked: the sha256 of the compressed tar-split data. */
  readonly tarSplitDigest?: Digest;
}

/** The annotations of a layer's descriptor that lead to its table of contents. */
export const tocAnnotations = {
  estargzDigest: 'containerd.io/snapshot/stargz/toc.digest',
  estargzUncompressedSize: 'io.containers.estargz.uncompressed-size',
  zstdDigest: 'io.github.containers.zstd-chunked.manifest-checksum',
  zstdPosition: 'io.github.containers.zstd-chunked.manifest-position',
  zstdTarSplit: 'io.github.containers.zstd-chunked.tarsplit-position',
} as const;

/** What containers/storage called its annotations before 2022. */
export const formerTocAnnotations = {
  zstdDigest: 'io.containers.zstd-chunked.manifest-checksum',
  zstdPosition: 'io.containers.zstd-chunked.manifest-position',
} as const;

/** The entry of an eStargz archive that holds the table. */
export const TOC_NAME = 'stargz.index.json';

/** The empty-handed hint to lazy pullers: there is nothing to fetch ahead. */
export const NO_PREFETCH = '.no.prefetch.landmark';
