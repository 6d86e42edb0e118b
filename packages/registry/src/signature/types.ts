import type { Digest } from '@ocijs/image';
import type { SigstoreBundle } from './forms/bundle.ts';

/**
 * Where a signature is kept: in a manifest under the tag `sha256-HEX.sig` (what all versions of cosign, skopeo and podman
 * read), in one that refers to the image (OCI 1.1), or as a sigstore bundle that refers to it (cosign's since version 3).
 */
export type SignatureForm = 'tag' | 'referrer' | 'bundle';

/** A signature over a "simple signing" document. */
export interface SimpleSignature {
  readonly form: 'tag' | 'referrer';
  /** Of the signed document. */
  readonly digest: Digest;
  readonly payload: Uint8Array;
  readonly signature: Buffer;
  /** What a keyless signature comes with, not looked at. */
  readonly keyless: KeylessMaterial | undefined;
}

/** The annotations of a keyless signature. */
export interface KeylessMaterial {
  /** PEM. */
  readonly certificate: string;
  /** PEM. */
  readonly chain: string | undefined;
  /** JSON: the transparency log's promise. */
  readonly rekorBundle: string | undefined;
  /** JSON: the time according to an authority. */
  readonly timestamp: string | undefined;
}

/** A signature in a sigstore bundle. */
export interface BundleSignature {
  readonly form: 'bundle';
  /** Of the bundle. */
  readonly digest: Digest;
  readonly bundle: SigstoreBundle;
}

/** A signature as the registry has it: nothing of it is verified. */
export type AttachedSignature = SimpleSignature | BundleSignature;

/** What somebody signed. */
export interface Claim {
  readonly digest: string;
  /** The name of the image; a bundle has none. */
  readonly identity: string | undefined;
  readonly annotations: Readonly<Record<string, string>>;
}

/** Who signed. */
export type Signer =
  | { readonly type: 'key'; readonly key: string }
  | { readonly type: 'certificate'; readonly identity: string; readonly issuer: string };

/** Decides whether a signature is of somebody who is trusted. */
export interface Trust {
  /** Throws ERR_OCI_SIGNATURE_INVALID for anybody else. */
  authenticate(signature: AttachedSignature): Promise<Signer>;
}
