import type { Digest, Reference } from '@ocijs/image';
import { limits } from '../limits.ts';
import type { Session } from '../session.ts';
import { isOfOneSignature, signatureError, unacceptable } from './failure.ts';
import { type SignaturePlace, type SignedImage, signaturePlaces } from './find-signatures.ts';
import { parseClaim } from './forms/simple-signing.ts';
import { parseStatement } from './forms/statement.ts';
import type { AttachedSignature, Claim, SignatureForm, Signer, Trust } from './types.ts';

/** A signature that counts, and what it says. */
export interface VerifiedSignature {
  readonly form: SignatureForm;
  /** Of the blob that holds it. */
  readonly digest: Digest;
  readonly signer: Signer;
  /** The name that was signed; a bundle has none. */
  readonly identity?: string;
  /** What the signer said besides. */
  readonly annotations: Readonly<Record<string, string>>;
}

/** Which signatures count. */
export interface Examination extends SignedImage {
  /** For messages. */
  readonly reference: Reference;
  readonly trust: Trust;
  /** Throws ERR_OCI_SIGNATURE_INVALID when something else was signed than is wanted. */
  readonly checkClaim: (claim: Claim) => void;
  /** Stop at the first that counts. */
  readonly enough: 'one' | 'all';
}

/**
 * Looks at the signatures of an image, at most 256. Each is authenticated before anything of what it signs is read.
 * Throws ERR_OCI_SIGNATURE_NOT_FOUND when there is none, and ERR_OCI_SIGNATURE_INVALID, with the reasons, when none counts.
 */
export async function examineSignatures(
  session: Session,
  examination: Examination,
): Promise<readonly VerifiedSignature[]> {
  const verified: VerifiedSignature[] = [];
  const reasons: string[] = [];
  let seen = 0;
  for await (const place of signaturePlaces(session, examination)) {
    if (seen >= limits.signatures) {
      reasons.push(`more than ${limits.signatures} signatures, the others were not looked at`);
      break;
    }
    seen++;
    const { found, failures } = await examinePlace(place, examination);
    verified.push(...found);
    reasons.push(...failures);
    if (verified.length > 0 && examination.enough === 'one') break;
  }
  if (verified.length > 0) return verified;
  throw seen === 0 ? notSigned(examination) : noneCounts(examination, reasons);
}

async function examinePlace(
  place: SignaturePlace,
  examination: Examination,
): Promise<{ readonly found: readonly VerifiedSignature[]; readonly failures: readonly string[] }> {
  const found: VerifiedSignature[] = [];
  const failures: string[] = [];
  const attempt = async <T>(work: () => Promise<T>): Promise<T | undefined> => {
    examination.signal?.throwIfAborted();
    try {
      return await work();
    } catch (error) {
      if (!isOfOneSignature(error)) throw error;
      failures.push(error.message);
      return undefined;
    }
  };
  const attached = (await attempt(() => place.read())) ?? [];
  for (const signature of attached) {
    const result = await attempt(() => examineOne(signature, examination));
    if (result !== undefined) found.push(result);
  }
  return { found, failures };
}

async function examineOne(
  attached: AttachedSignature,
  { digest, trust, checkClaim }: Examination,
): Promise<VerifiedSignature> {
  const signer = await trust.authenticate(attached);
  const claim =
    attached.form === 'bundle'
      ? parseStatement(attached.bundle.payload, digest)
      : parseClaim(attached.payload);
  if (claim.digest !== digest) throw unacceptable('it is the signature of another image');
  checkClaim(claim);
  const { identity, annotations } = claim;
  return {
    form: attached.form,
    digest: attached.digest,
    signer,
    ...(identity === undefined ? {} : { identity }),
    annotations,
  };
}

function notSigned({ reference, digest }: Examination): Error {
  const name = `${reference.registry}/${reference.repository}@${digest}`;
  return signatureError('ERR_OCI_SIGNATURE_NOT_FOUND', `${name} has no signature in its registry`, {
    digest,
    hint: 'ask who publishes the image whether it is signed, and how; oci referrers lists what is attached',
  });
}

/** The error for an image that has signatures, none of which counts. */
export function noneCounts(
  { reference, digest }: { readonly reference: Reference; readonly digest: Digest },
  reasons: readonly string[],
): Error {
  const name = `${reference.registry}/${reference.repository}@${digest}`;
  const unique = [...new Set(reasons)];
  const shown = unique.slice(0, 3).join('; ');
  const more = unique.length > 3 ? `; and ${unique.length - 3} more reasons` : '';
  return signatureError('ERR_OCI_SIGNATURE_INVALID', `no signature of ${name} counts: ${shown}${more}`, {
    digest,
    hint: 'do not run the image before it is clear why',
  });
}
