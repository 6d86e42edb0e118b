import { generateKeyPairSync, sign as signBytes } from 'node:crypto';
import { type Descriptor, digestBytes, encodeJson, type Manifest, MediaType } from '@ocijs/image';
import type { FaultRegistry } from '../fault-registry.testkit.ts';
import { signatureArtifactType, simpleSigningType } from './forms/simple-signing.ts';

/** A key pair in PEM form, made anew. */
export interface TestKeys {
  readonly privateKey: string;
  readonly publicKey: string;
  sign(data: Uint8Array): Buffer;
}

/** An ECDSA P-256 key without password. */
export function testKeys(): TestKeys {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return {
    privateKey: String(privateKey.export({ format: 'pem', type: 'pkcs8' })),
    publicKey: String(publicKey.export({ format: 'pem', type: 'spki' })),
    sign: (data) => signBytes('sha256', data, privateKey),
  };
}

/** A layer with a signed document, as somebody may have put it there. */
export interface PlantedSignature {
  readonly payload: Uint8Array;
  readonly annotations: Readonly<Record<string, string>>;
  /** What the manifest says of the size. Default: the truth. */
  readonly size?: number;
}

/** Puts signatures under an image's `.sig` tag, whatever they are. */
export function plantTagged(
  registry: FaultRegistry,
  {
    name,
    digest,
    signatures,
  }: {
    readonly name: string;
    readonly digest: string;
    readonly signatures: readonly PlantedSignature[];
  },
): void {
  const layers = signatures.map((signature) => plantLayer(registry, signature));
  plant(registry, { name, reference: `${digest.replace(':', '-')}.sig`, layers });
}

/** Puts an artifact with signatures into the registry, and lists it as one that refers to the image. */
export function plantReferrer(
  registry: FaultRegistry,
  {
    name,
    subject,
    listedFor,
    signatures,
  }: {
    readonly name: string;
    readonly subject: Descriptor;
    readonly listedFor: string;
    readonly signatures: readonly PlantedSignature[];
  },
): void {
  const layers = signatures.map((signature) => plantLayer(registry, signature));
  const artifactType = signatureArtifactType;
  const artifact = plant(registry, { name, layers, more: { artifactType, subject } });
  const index = encodeJson({
    schemaVersion: 2,
    mediaType: MediaType.index,
    manifests: [{ ...artifact, artifactType }],
  });
  registry.manifests.set(`${name}:${listedFor.replace(':', '-')}`, {
    bytes: index,
    mediaType: MediaType.index,
  });
}

function plantLayer(registry: FaultRegistry, { payload, annotations, size }: PlantedSignature): Descriptor {
  const digest = digestBytes(payload);
  registry.blobs.set(digest, payload);
  return { mediaType: simpleSigningType, digest, size: size ?? payload.length, annotations };
}

function plant(
  registry: FaultRegistry,
  {
    name,
    reference,
    layers,
    more = {},
  }: {
    readonly name: string;
    readonly reference?: string;
    readonly layers: readonly Descriptor[];
    readonly more?: Partial<Manifest>;
  },
): Descriptor {
  const config = encodeJson({ rootfs: { type: 'layers', diff_ids: [] } });
  registry.blobs.set(digestBytes(config), config);
  const bytes = encodeJson({
    schemaVersion: 2,
    mediaType: MediaType.manifest,
    config: { mediaType: MediaType.config, digest: digestBytes(config), size: config.length },
    layers,
    ...more,
  });
  const digest = digestBytes(bytes);
  registry.manifests.set(`${name}:${reference ?? digest}`, { bytes, mediaType: MediaType.manifest });
  return { mediaType: MediaType.manifest, digest, size: bytes.length };
}
