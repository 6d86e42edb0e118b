import type { Digest } from '@ocijs/image';
import type { RuntimeSpec } from './spec/types.ts';

/** The image that a bundle was made from. */
export interface BundleImage {
  readonly name: string;
  /** Of the manifest. */
  readonly digest: Digest;
}

/** A directory with a root file system and the configuration to run it (runtime-spec `bundle.md`). */
export interface Bundle {
  /** Absolute. */
  readonly directory: string;
  /** Absolute path of the root file system. */
  readonly rootfs: string;
  readonly config: RuntimeSpec;
  readonly image?: BundleImage;
}
