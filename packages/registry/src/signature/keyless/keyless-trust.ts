import type { Bundle } from '@sigstore/bundle';
import { limits } from '../../limits.ts';
import { signatureError, unacceptable } from '../failure.ts';
import { readRecord } from '../json.ts';
import type { AttachedSignature, Trust } from '../types.ts';
import { type SigstoreLibraries, sigstoreLibraries } from './libraries.ts';
import { simpleBundle } from './simple-bundle.ts';

/** Whose keyless signatures count. */
export interface KeylessTrustOptions {
  /** The trusted root, `trusted_root.json`: its authorities and logs, and no others, are believed. */
  readonly trustedRoot: string | Uint8Array;
  /** The certificate's subject, such as an e-mail address or the URL of a workflow: exactly, or by a whole match. */
  readonly certificateIdentity: string | RegExp;
  /** Who vouched for the subject, such as `https://token.actions.githubusercontent.com`. */
  readonly certificateIssuer: string | RegExp;
}

type Verifier = InstanceType<SigstoreLibraries['verify']['Verifier']>;

/**
 * Trusts what somebody signed whom a certificate of the trusted root names, when the transparency log has it. Throws
 * ERR_OCI_SIGNATURE_LIBRARY_MISSING, ERR_OCI_SIGNATURE_TRUST_ROOT_INVALID.
 */
export async function keylessTrust(options: KeylessTrustOptions): Promise<Trust> {
  const libraries = await sigstoreLibraries();
  const verifier = createVerifier(libraries, options);
  return {
    async authenticate(attached) {
      const signer = authenticate(attached, { libraries, verifier });
      const { subjectAlternativeName: identity, extensions } = signer.identity ?? {};
      const issuer = extensions?.issuer;
      if (identity === undefined || issuer === undefined) throw unacceptable('its certificate names nobody');
      if (!isMatch(identity, options.certificateIdentity))
        throw unacceptable(`its certificate is that of ${shown(identity)}`);
      if (!isMatch(issuer, options.certificateIssuer))
        throw unacceptable(`its certificate was issued on the word of ${shown(issuer)}`);
      return { type: 'certificate', identity, issuer };
    },
  };
}

function createVerifier(
  { specs, verify }: SigstoreLibraries,
  { trustedRoot }: KeylessTrustOptions,
): Verifier {
  try {
    const bytes = typeof trustedRoot === 'string' ? Buffer.from(trustedRoot) : trustedRoot;
    const document = readRecord(bytes, { limit: limits.trustedRootBytes, what: 'trusted root' });
    return new verify.Verifier(verify.toTrustMaterial(specs.TrustedRoot.fromJSON(document)));
  } catch (cause) {
    throw signatureError(
      'ERR_OCI_SIGNATURE_TRUST_ROOT_INVALID',
      `the trusted root cannot be used: ${(cause as Error).message}`,
      { cause, hint: 'it is the trusted_root.json that `cosign trusted-root create` or TUF gives' },
    );
  }
}

/** Whatever the libraries throw is said of the signature: it is input, and they check all of it. */
function authenticate(
  attached: AttachedSignature,
  { libraries, verifier }: { readonly libraries: SigstoreLibraries; readonly verifier: Verifier },
): ReturnType<Verifier['verify']> {
  try {
    if (attached.form === 'bundle') {
      if (!attached.bundle.hasCertificate) throw new Error('it has no certificate');
      const bundle: Bundle = libraries.bundle.bundleFromJSON(attached.bundle.document);
      // What is verified here and what is read afterwards must be the same bytes.
      const { content } = bundle;
      if (content.$case !== 'dsseEnvelope' || !content.dsseEnvelope.payload.equals(attached.bundle.payload))
        throw new Error('it can be read in two ways');
      return verifier.verify(libraries.verify.toSignedEntity(bundle));
    }
    const bundle = libraries.bundle.bundleFromJSON(simpleBundle(attached));
    return verifier.verify(libraries.verify.toSignedEntity(bundle, Buffer.from(attached.payload)));
  } catch (cause) {
    const message = (cause as Error).message.slice(0, limits.messageLength);
    throw unacceptable(`it is not a keyless signature of the trusted root (${message})`, { cause });
  }
}

/** A pattern must match from beginning to end: a part of an address is another address. */
function isMatch(text: string, wanted: string | RegExp): boolean {
  if (typeof wanted === 'string') return text === wanted;
  return new RegExp(`^(?:${wanted.source})$`, wanted.flags.replace(/[gym]/g, '')).test(text);
}

function shown(text: string): string {
  return JSON.stringify(text.slice(0, limits.messageLength));
}
