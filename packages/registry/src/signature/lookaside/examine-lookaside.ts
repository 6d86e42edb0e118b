import { type Digest, formatReference, type Reference } from '@ocijs/image';
import { redactUrl } from '../../transport/redact.ts';
import { noneCounts } from '../examine.ts';
import { isOfOneSignature, signatureError, unacceptable } from '../failure.ts';
import { parseAtomicClaim } from '../forms/atomic.ts';
import type { Keyring } from '../gpg/keyring.ts';
import { checkIdentity, type SignedIdentity } from '../identity.ts';
import type { Lookaside } from './find-lookaside.ts';
import type { LookasideReader, LookasideSignature } from './read-signatures.ts';

/** Which GPG signature counts. */
export interface LookasideExamination {
  readonly digest: Digest;
  readonly lookaside: Lookaside;
  /** Whose signatures these are, for messages. */
  readonly reference: Reference;
  readonly identity: { readonly rule: SignedIdentity; readonly wanted: Reference };
  readonly verify: Keyring['verify'];
  readonly signal: AbortSignal | undefined;
}

/**
 * Looks for one GPG signature that counts: by one of the keys, of exactly this digest and of the name that is wanted.
 * Each is authenticated before anything of what it signs is read. Throws ERR_OCI_SIGNATURE_NOT_FOUND when there is none,
 * ERR_OCI_SIGNATURE_INVALID, with the reasons, when none counts.
 */
export async function examineLookaside(
  reader: LookasideReader,
  examination: LookasideExamination,
): Promise<void> {
  const { digest, reference, signal } = examination;
  const reasons: string[] = [];
  let seen = 0;
  try {
    for await (const signature of reader.signatures(digest)) {
      seen++;
      signal?.throwIfAborted();
      const reason = await fault(signature, examination);
      if (reason === undefined) return;
      reasons.push(`${signature.name}: ${reason}`);
    }
  } catch (error) {
    if (!isOfOneSignature(error)) throw error;
    seen++;
    reasons.push(error.message);
  }
  throw seen === 0 ? notSigned(examination) : noneCounts({ reference, digest }, reasons);
}

/** Why a signature does not count; undefined when it does. */
async function fault(
  { bytes }: LookasideSignature,
  { digest, identity, verify }: LookasideExamination,
): Promise<string | undefined> {
  try {
    const { payload } = await verify(bytes);
    const claim = parseAtomicClaim(payload);
    if (claim.digest !== digest) throw unacceptable('it is the signature of another image');
    checkIdentity(claim.identity, identity);
    return undefined;
  } catch (error) {
    if (!isOfOneSignature(error)) throw error;
    return error.message;
  }
}

function notSigned({ reference, digest, lookaside: { url, namedBy } }: LookasideExamination): Error {
  const { registry, repository } = reference;
  const name = formatReference({ registry, repository, digest });
  const because = namedBy === undefined ? 'registries.d names no other place' : `${namedBy} names it`;
  return signatureError(
    'ERR_OCI_SIGNATURE_NOT_FOUND',
    `${name} has no GPG signature in ${redactUrl(url)} (${because})`,
    { digest },
  );
}
