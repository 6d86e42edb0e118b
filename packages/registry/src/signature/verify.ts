import { type Digest, formatReference, parseReference, type Reference } from '@ocijs/image';
import { fromSources, type PullSource, sourceSession } from '../config/sources.ts';
import type { RegistryOptions } from '../options.ts';
import { resolve } from '../resolve.ts';
import { examineSignatures, type VerifiedSignature } from './examine.ts';
import { signatureError, unacceptable } from './failure.ts';
import { checkIdentity, type SignedIdentity } from './identity.ts';
import { keyTrust } from './key-trust.ts';
import { type KeylessTrustOptions, keylessTrust } from './keyless/keyless-trust.ts';
import { parsePublicKey } from './keys/public-key.ts';
import type { Claim, Trust } from './types.ts';

/** Options of {@link verify}: a key, or who a keyless signer must be. */
export interface VerifyOptions extends RegistryOptions {
  /** A public key in PEM form, or several of which one must have signed. */
  readonly key?: string | Uint8Array | readonly (string | Uint8Array)[] | undefined;
  /** Keyless signatures, by a certificate of a trusted root. */
  readonly keyless?: KeylessTrustOptions | undefined;
  /** What the signer must have said besides. */
  readonly annotations?: Readonly<Record<string, string>> | undefined;
  /**
   * Which name must have been signed; `any` for an image that was copied with its signatures. Default: one of the
   * repository that is asked for. Sigstore bundles carry no name: they count unless this is given.
   */
  readonly signedIdentity?: SignedIdentity | 'any' | undefined;
  /** What the reference must name; anything else is ERR_OCI_DIGEST_MISMATCH. */
  readonly expectDigest?: Digest | undefined;
}

/** An image that is signed, and by whom. */
export interface VerifyReport {
  readonly reference: string;
  /** Use this from now on: the tag may move. */
  readonly digest: Digest;
  /** All that count, at least one. */
  readonly signatures: readonly VerifiedSignature[];
}

/**
 * Verifies that an image in a registry is signed: by a key, or keyless by a certificate's identity. All forms of cosign's
 * signatures are looked at: under the `.sig` tag, as an artifact, and as a sigstore bundle. A signature counts when it
 * is authentic, of exactly this digest, of the name that is wanted, and carries the annotations that are wanted. Of an
 * index, the index itself must be signed. The transparency log is consulted for keyless signatures only.
 *
 * Throws ERR_OCI_SIGNATURE_NOT_FOUND, ERR_OCI_SIGNATURE_INVALID, ERR_OCI_SIGNATURE_KEY_INVALID,
 * ERR_OCI_SIGNATURE_TRUST_ROOT_INVALID, ERR_OCI_SIGNATURE_LIBRARY_MISSING, other {@link RegistryError}, `signal.reason`.
 */
export async function verify(name: string | Reference, options: VerifyOptions): Promise<VerifyReport> {
  options.signal?.throwIfAborted();
  const reference = typeof name === 'string' ? parseReference(name) : name;
  const trust = await trustOf(options);
  return fromSources(reference, options, (source) => verifyAt(source, { ...options, reference, trust }));
}

async function verifyAt(
  source: PullSource,
  options: VerifyOptions & { readonly reference: Reference; readonly trust: Trust },
): Promise<VerifyReport> {
  const { reference, trust, signal, expectDigest } = options;
  const { repository } = source.reference;
  await using session = sourceSession(source);
  const { descriptor } = await resolve(session, { reference: source.reference, expectDigest, signal });
  const { digest } = descriptor;
  const signatures = await examineSignatures(session, {
    repository,
    digest,
    reference,
    trust,
    checkClaim: (claim) => checkClaim(claim, { ...options, reference }),
    enough: 'all',
    signal,
  });
  return { reference: formatReference(reference), digest, signatures };
}

async function trustOf({ key, keyless }: VerifyOptions): Promise<Trust> {
  if ((key === undefined) === (keyless === undefined)) {
    throw signatureError(
      'ERR_OCI_SIGNATURE_KEY_INVALID',
      key === undefined
        ? 'nothing says whose signature is wanted'
        : 'a key and a keyless identity exclude each other',
      { hint: 'name a public key, or the identity and issuer of a certificate' },
    );
  }
  if (keyless !== undefined) return keylessTrust(keyless);
  const texts = typeof key === 'string' || key instanceof Uint8Array ? [key] : (key ?? []);
  const keys = texts.map((text, index) =>
    parsePublicKey(text, texts.length === 1 ? 'public key' : `public key ${index + 1}`),
  );
  return keyTrust(keys);
}

function checkClaim(
  { identity, annotations }: Claim,
  options: Pick<VerifyOptions, 'annotations' | 'signedIdentity'> & { readonly reference: Reference },
): void {
  const { signedIdentity, reference, annotations: wanted = {} } = options;
  const isFree = signedIdentity === 'any' || (signedIdentity === undefined && identity === undefined);
  if (!isFree)
    checkIdentity(identity, { rule: signedIdentity ?? { type: 'matchRepository' }, wanted: reference });
  for (const [name, value] of Object.entries(wanted)) {
    if (!Object.hasOwn(annotations, name) || annotations[name] !== value)
      throw unacceptable(`the annotation ${name} is not ${value}`);
  }
}
