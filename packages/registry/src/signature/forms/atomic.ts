import { unacceptable } from '../failure.ts';
import { asRecord, asText } from '../json.ts';
import { readSimpleSigning } from './simple-signing.ts';

const claimType = 'atomic container signature';

/** What a GPG signature says. */
export interface AtomicClaim {
  readonly digest: string;
  readonly identity: string;
}

/**
 * Reads the document of a GPG signature that was verified (containers-signature(5)), as strictly as that asks: both parts
 * must be there, nothing unknown in the critical one, and what is known of the other must be of its type. Throws
 * ERR_OCI_SIGNATURE_INVALID, ERR_OCI_JSON_INVALID.
 */
export function parseAtomicClaim(payload: Uint8Array): AtomicClaim {
  const { digest, identity, optional } = readSimpleSigning(payload, claimType);
  const { creator = '', timestamp = 0 } = asRecord(optional, 'optional');
  asText(creator, 'optional.creator');
  if (!isTime(timestamp)) throw unacceptable('optional.timestamp is not a whole number of seconds');
  return { digest, identity };
}

const int64 = 2 ** 63;

function isTime(value: unknown): boolean {
  return Number.isInteger(value) && Math.abs(Number(value)) < int64;
}
