import type { SignedIdentity } from '../identity.ts';

/** Where a policy has a public key, or a file of several. */
export type KeySource = { readonly path: string } | { readonly data: Uint8Array };

/** What a policy asks of an image (containers-policy.json(5), "Policy requirements"). */
export type PolicyRequirement =
  | { readonly type: 'insecureAcceptAnything' }
  | { readonly type: 'reject' }
  /** Signed by one of the GPG keys. */
  | {
      readonly type: 'signedBy';
      readonly keys: readonly KeySource[];
      readonly signedIdentity: SignedIdentity;
    }
  /** Signed by one of the keys. */
  | {
      readonly type: 'sigstoreSigned';
      readonly keys: readonly KeySource[];
      readonly signedIdentity: SignedIdentity;
    }
  /** Known, but nothing that is checked here; no image fulfils it. */
  | { readonly type: 'unsupported'; readonly what: string };

/** A `policy.json`. */
export interface Policy {
  /** For messages. */
  readonly path: string;
  readonly default: readonly PolicyRequirement[];
  /** By transport and scope; the scope `` holds for the whole transport. */
  readonly transports: ReadonlyMap<string, ReadonlyMap<string, readonly PolicyRequirement[]>>;
}
