import type { Inode, TreeNode } from '../contents/tree.ts';
import type { Descriptor } from '../descriptor.ts';
import type { Digest } from '../digest/digest.ts';
import type { HistoryEntry } from '../manifest/types.ts';
import type { ImageSource } from '../source.ts';
import type { HistoryNode } from './file-history.ts';

/** What a layer holds and does. Counts of names include directories. */
export interface LayerAnalysis {
  readonly descriptor: Descriptor;
  readonly diffId: Digest;
  /** What the configuration says of the layer. */
  readonly history: HistoryEntry;
  /** Entries of the archive. */
  readonly entries: number;
  /** Bytes of the archive, uncompressed. */
  readonly archiveBytes: number;
  /** Bytes of the files in it; holes count nothing. */
  readonly bytes: number;
  readonly added: number;
  readonly changed: number;
  readonly removed: number;
  /** Bytes of the files in it that a later layer replaces or removes. */
  readonly wastedBytes: number;
}

/** A name under which layers hold bytes that nobody sees. */
export interface WastedFile {
  /** Without a leading slash. */
  readonly path: string;
  readonly bytes: number;
  /** The layers that hold the bytes, from 0. */
  readonly layers: readonly number[];
  /** Whether the name is there in the end, as another file. */
  readonly fate: 'replaced' | 'removed';
}

/** Files of the image with the same content that are no hard links of one another. */
export interface DuplicateFiles {
  readonly digest: Digest;
  /** Bytes of one of them. */
  readonly size: number;
  /** Without leading slashes; two or more. */
  readonly paths: readonly string[];
}

/** What {@link analyzeImage} found. */
export interface ImageAnalysis {
  readonly image: ImageSource;
  readonly layers: readonly LayerAnalysis[];
  /** The root file system that the layers make. */
  readonly root: TreeNode;
  /** What became of each name, layer by layer. */
  readonly history: HistoryNode;
  /**
   * Tells files of the same content: the sha256 digest; for a sparse file something that only a file with the same
   * holes has.
   */
  readonly contents: ReadonlyMap<Inode, string>;
  /** Of the root file system: everything but directories, hard links once. */
  readonly files: number;
  /** Bytes of these files. */
  readonly bytes: number;
  /** Bytes of all files of all layers. */
  readonly layerBytes: number;
  /** The most bytes first. */
  readonly wasted: readonly WastedFile[];
  /** What most could be saved on first. */
  readonly duplicates: readonly DuplicateFiles[];
}
