import { type Digest, digestAlgorithm, digestHex, encodeJson } from '@ocijs/image';
import { limits } from '../../limits.ts';
import { unacceptable } from '../failure.ts';
import { asRecord, isRecord, readRecord } from '../json.ts';
import type { Claim } from '../types.ts';
import { textsOf } from './simple-signing.ts';

/** The type of an in-toto statement inside an envelope. */
export const statementType = 'application/vnd.in-toto+json';
/** Says that a statement is a signature of an image, not an attestation of something else about it. */
export const signPredicate = 'https://sigstore.dev/cosign/sign/v1';
const statementVersion = 'https://in-toto.io/Statement/v1';

/** The statement that is signed (in-toto attestation framework, "Statement"). */
export function encodeStatement({
  digest,
  annotations,
}: {
  readonly digest: Digest;
  readonly annotations: Readonly<Record<string, string>>;
}): Uint8Array {
  return encodeJson({
    _type: statementVersion,
    subject: [
      {
        digest: { [digestAlgorithm(digest)]: digestHex(digest) },
        ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
      },
    ],
    predicateType: signPredicate,
    predicate: {},
  });
}

/**
 * Reads a statement whose signature was verified, and what it says of the image of this digest. A statement of another
 * kind, such as a list of vulnerabilities, is no signature. Throws ERR_OCI_SIGNATURE_INVALID, ERR_OCI_JSON_INVALID.
 */
export function parseStatement(payload: Uint8Array, digest: Digest): Claim {
  const statement = readRecord(payload, { limit: limits.signatureBundleBytes, what: 'signed statement' });
  if (statement['_type'] !== statementVersion)
    throw unacceptable('the statement is not of in-toto version 1');
  if (statement['predicateType'] !== signPredicate)
    throw unacceptable('the statement says something else than that the image is signed');
  const subjects = statement['subject'];
  if (!Array.isArray(subjects)) throw unacceptable('the statement has no subjects');
  const subject = subjects.find((each) => isSubject(each, digest));
  if (subject === undefined) throw unacceptable(`the statement is not of ${digest}`);
  return {
    digest,
    identity: undefined,
    annotations: textsOf(asRecord(subject, 'subject')['annotations'] ?? {}),
  };
}

function isSubject(value: unknown, digest: Digest): boolean {
  if (!isRecord(value) || !isRecord(value['digest'])) return false;
  return value['digest'][digestAlgorithm(digest)] === digestHex(digest);
}
