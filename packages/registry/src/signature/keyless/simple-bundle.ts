import { createHash } from 'node:crypto';
import { limits } from '../../limits.ts';
import { unacceptable } from '../failure.ts';
import { asRecord, asText, type JsonRecord, readRecord } from '../json.ts';
import { pemBlocks } from '../keys/pem.ts';
import type { SimpleSignature } from '../types.ts';

/**
 * The annotations of a keyless signature as a sigstore bundle of version 0.1, whose transparency log gives a signed
 * promise. Throws ERR_OCI_SIGNATURE_INVALID.
 */
export function simpleBundle({ payload, signature, keyless }: SimpleSignature): JsonRecord {
  if (keyless === undefined) throw unacceptable('it has no certificate');
  const { certificate, chain, rekorBundle } = keyless;
  if (rekorBundle === undefined) throw unacceptable('it is in no transparency log');
  const certificates = [...pemBlocks(certificate).slice(0, 1), ...pemBlocks(chain ?? '')]
    .filter(({ label }) => label === 'CERTIFICATE')
    .map(({ bytes }) => ({ rawBytes: bytes.toString('base64') }));
  return {
    mediaType: 'application/vnd.dev.sigstore.bundle+json;version=0.1',
    verificationMaterial: {
      x509CertificateChain: { certificates },
      tlogEntries: [logEntry(rekorBundle)],
      ...timestamps(keyless.timestamp),
    },
    messageSignature: {
      messageDigest: {
        algorithm: 'SHA2_256',
        digest: createHash('sha256').update(payload).digest('base64'),
      },
      signature: signature.toString('base64'),
    },
  };
}

function logEntry(json: string): JsonRecord {
  const limit = limits.signaturePayloadBytes;
  const bundle = readRecord(Buffer.from(json), { limit, what: 'entry of the log' });
  const entry = asRecord(bundle['Payload'], 'Payload');
  const body = asText(entry['body'], 'body');
  const written = readRecord(Buffer.from(body, 'base64'), { limit, what: 'body of the log entry' });
  return {
    logIndex: String(entry['logIndex']),
    logId: { keyId: Buffer.from(asText(entry['logID'], 'logID'), 'hex').toString('base64') },
    kindVersion: {
      kind: asText(written['kind'], 'kind'),
      version: asText(written['apiVersion'], 'apiVersion'),
    },
    integratedTime: String(entry['integratedTime']),
    inclusionPromise: {
      signedEntryTimestamp: asText(bundle['SignedEntryTimestamp'], 'SignedEntryTimestamp'),
    },
    canonicalizedBody: body,
  };
}

function timestamps(json: string | undefined): JsonRecord {
  if (json === undefined || json === '') return {};
  const record = readRecord(Buffer.from(json), { limit: limits.signaturePayloadBytes, what: 'time stamp' });
  const signedTimestamp = asText(record['SignedRFC3161Timestamp'], 'SignedRFC3161Timestamp');
  return { timestampVerificationData: { rfc3161Timestamps: [{ signedTimestamp }] } };
}
