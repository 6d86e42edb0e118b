/** Kinds of files, by the number that a report has for them. */
export const fileTypes = [
  'file',
  'link',
  'symlink',
  'directory',
  'character-device',
  'block-device',
  'fifo',
] as const;

/** What may be different about a file, by the bit that a report has for it. */
export const differenceNames = [
  'type',
  'content',
  'link',
  'device',
  'mode',
  'owner',
  'attributes',
  'time',
] as const;

/** What a layer does to a name, by the number that a report has for it. */
export const versionKinds = ['added', 'changed', 'removed'] as const;

/**
 * Files and what became of them, in columns: some ten bytes a file once compressed. Names stand in the order of the
 * tree, parents first, the root at 0; versions in the order of the names. A removal has no more than layer and kind.
 */
export interface PackedTree {
  readonly names: readonly string[];
  readonly depths: readonly number[];
  /** How many versions each name has. */
  readonly counts: readonly number[];
  readonly layers: readonly number[];
  readonly kinds: readonly number[];
  /** Bits, see {@link differenceNames}. */
  readonly differences: readonly number[];
  readonly types: readonly number[];
  /** Bytes of content; holes count nothing. */
  readonly sizes: readonly number[];
  readonly modes: readonly number[];
  readonly uids: readonly number[];
  readonly gids: readonly number[];
  /** Seconds since 1970. */
  readonly times: readonly number[];
  /** For some versions: where a symbolic link leads. */
  readonly links: readonly (readonly [version: number, target: string])[];
  /** For some versions: the number of the file that several names stand for. */
  readonly groups: readonly (readonly [version: number, file: number])[];
  /** For some versions: the names of extended attributes. */
  readonly attributes: readonly (readonly [version: number, names: readonly string[]])[];
}

/** What a layer holds and does. */
export interface LayerReport {
  readonly digest: string;
  readonly diffId: string;
  readonly mediaType: string;
  /** Bytes of the blob. */
  readonly size: number;
  readonly archiveBytes: number;
  /** Bytes of the files in it. */
  readonly bytes: number;
  readonly entries: number;
  readonly added: number;
  readonly changed: number;
  readonly removed: number;
  readonly wastedBytes: number;
  readonly command: string;
}

/** One step of how the image was made. */
export interface HistoryLine {
  readonly command: string;
  readonly created?: string;
  readonly author?: string;
  readonly comment?: string;
  /** The layer that the step made, from 0. */
  readonly layer?: number;
}

/** Names and values under a heading. */
export interface FactList {
  readonly title: string;
  readonly facts: readonly (readonly [name: string, value: string])[];
}

/** A file in whose place others are, or nothing. */
export interface WasteReport {
  /** The name, as an index into the tree. */
  readonly node: number;
  readonly bytes: number;
  readonly layers: readonly number[];
  readonly fate: 'replaced' | 'removed';
}

/** Files of the same content. */
export interface DuplicateReport {
  readonly digest: string;
  readonly size: number;
  /** The names, as indexes into the tree. */
  readonly nodes: readonly number[];
}

/** Everything that is shown of an image. */
export interface ImageReport {
  readonly name: string;
  readonly digest: string;
  readonly mediaType: string;
  readonly platform: string;
  readonly created?: string;
  /** Bytes that a pull moves. */
  readonly size: number;
  /** Bytes of the files of the root file system. */
  readonly bytes: number;
  readonly files: number;
  /** Bytes of the files of all layers. */
  readonly layerBytes: number;
  readonly layers: readonly LayerReport[];
  readonly history: readonly HistoryLine[];
  readonly config: readonly FactList[];
  readonly wasted: readonly WasteReport[];
  readonly duplicates: readonly DuplicateReport[];
  readonly tree: PackedTree;
}

/** What is different about two images: a tree of two layers, the first image and the second. */
export interface ComparisonReport {
  readonly fields: readonly { readonly field: string; readonly a?: string; readonly b?: string }[];
  readonly tree: PackedTree;
}

/** What the page and the terminal show. */
export interface Report {
  /** Grows when an older page could not show it. */
  readonly format: 1;
  readonly generator: string;
  readonly images: readonly ImageReport[];
  /** When there are two images. */
  readonly comparison?: ComparisonReport;
}
