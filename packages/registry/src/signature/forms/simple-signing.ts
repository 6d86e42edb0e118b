import { type Digest, encodeJson } from '@ocijs/image';
import { limits } from '../../limits.ts';
import { unacceptable } from '../failure.ts';
import { asRecord, asText, isRecord, onlyFields, readRecord } from '../json.ts';
import type { Claim } from '../types.ts';

/** The media type of the signed document. */
export const simpleSigningType = 'application/vnd.dev.cosign.simplesigning.v1+json';
/** The artifact type of a manifest of such documents that refers to its image. */
export const signatureArtifactType = 'application/vnd.dev.cosign.artifact.sig.v1+json';

/** The annotations of a layer that make it a signature. */
export const layerAnnotations = {
  signature: 'dev.cosignproject.cosign/signature',
  certificate: 'dev.sigstore.cosign/certificate',
  chain: 'dev.sigstore.cosign/chain',
  rekorBundle: 'dev.sigstore.cosign/bundle',
  timestamp: 'dev.sigstore.cosign/rfc3161timestamp',
} as const;

const claimType = 'cosign container image signature';

/** What is to be signed. */
export interface SimpleClaim {
  readonly digest: Digest;
  /** The image's name, with a tag or digest when the signature is to hold for that only. */
  readonly identity: string;
  readonly annotations: Readonly<Record<string, string>>;
}

/** The document that is signed; the same bytes for the same claim. */
export function encodeClaim({ digest, identity, annotations }: SimpleClaim): Uint8Array {
  return encodeJson({
    critical: {
      identity: { 'docker-reference': identity },
      image: { 'docker-manifest-digest': digest },
      type: claimType,
    },
    optional: Object.keys(annotations).length === 0 ? null : annotations,
  });
}

/**
 * Reads a document whose signature was verified. Its critical part must be understood completely. Throws
 * ERR_OCI_SIGNATURE_INVALID, ERR_OCI_JSON_INVALID.
 */
export function parseClaim(payload: Uint8Array): Claim {
  const { optional, ...claim } = readSimpleSigning(payload, claimType);
  return { ...claim, annotations: textsOf(optional ?? {}) };
}

/** What all documents of this kind say, whoever writes them. */
export function readSimpleSigning(
  payload: Uint8Array,
  type: string,
): { readonly digest: string; readonly identity: string; readonly optional: unknown } {
  const document = readRecord(payload, { limit: limits.signaturePayloadBytes, what: 'signed document' });
  onlyFields(document, { known: ['critical', 'optional'], what: 'signed document' });
  const critical = asRecord(document['critical'], 'critical');
  onlyFields(critical, { known: ['identity', 'image', 'type'], what: 'critical' });
  if (critical['type'] !== type) throw unacceptable('critical.type is not that of an image signature');
  const image = asRecord(critical['image'], 'critical.image');
  onlyFields(image, { known: ['docker-manifest-digest'], what: 'critical.image' });
  const identity = asRecord(critical['identity'], 'critical.identity');
  onlyFields(identity, { known: ['docker-reference'], what: 'critical.identity' });
  return {
    digest: asText(image['docker-manifest-digest'], 'critical.image.docker-manifest-digest'),
    identity: asText(identity['docker-reference'], 'critical.identity.docker-reference'),
    optional: document['optional'],
  };
}

/** The annotations that are texts; other tools write numbers and more, which nobody asks for. */
export function textsOf(value: unknown): Readonly<Record<string, string>> {
  if (!isRecord(value)) throw unacceptable('annotations are not an object');
  const texts = Object.entries(value).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string',
  );
  return Object.fromEntries(texts);
}
