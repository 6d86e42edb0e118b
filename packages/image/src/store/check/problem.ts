import type { Digest } from '../../digest/digest.ts';

/** What can be wrong with a store. */
export type StoreProblemKind =
  /** The content of a blob is not what its digest says. */
  | 'damaged-blob'
  /** A blob that an image needs is not there. */
  | 'missing-blob'
  /** A blob is what its digest says, and not the manifest or index that it should be. */
  | 'invalid-document'
  /** `index.json` or `oci-layout` cannot be read. */
  | 'invalid-layout'
  /** A file that belongs to nothing that we know; harmless. */
  | 'stray-file';

/** Something wrong with a store. */
export interface StoreProblem {
  readonly kind: StoreProblemKind;
  /** For a person: what is wrong, and with whose image. */
  readonly message: string;
  readonly digest?: Digest;
  /** Relative to the store. */
  readonly path?: string;
  /** The names of the images that are affected. */
  readonly images?: readonly string[];
  /** Where `repair` put it, relative to the store. */
  readonly quarantined?: string;
}
