import {
  type Descriptor,
  type Digest,
  digestBytes,
  encodeJson,
  type Index,
  type Manifest,
} from '@ocijs/image';
import type { IndexNode } from '../graph.ts';
import { documentType, type ManifestFormat } from './media-types.ts';
import type { ManifestPlan } from './plan.ts';

/** A manifest or index as it goes to the destination. */
export interface RewrittenDocument {
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
  /** True when annotations were left out because Docker's format has none. */
  readonly droppedAnnotations: boolean;
}

/** What each digest of the source became; what is not in it is unchanged. */
export type Replacements = ReadonlyMap<Digest, Descriptor>;

/** The manifest with its new layers, in its new family. */
export function rewriteManifest(plan: ManifestPlan, replacements: Replacements): RewrittenDocument {
  const { node, format } = plan;
  const { manifest, descriptor } = node;
  if (!plan.isRewritten) return { descriptor, bytes: node.bytes, droppedAnnotations: false };
  const mediaType = documentType(format, 'manifest');
  const layers = plan.layers.map(({ layer, mediaType: type }) => ({
    ...(replacements.get(layer.digest) ?? layer),
    mediaType: type,
  }));
  const config = { ...manifest.config, mediaType: documentType(format, 'config') };
  const written: Manifest =
    format === 'docker'
      ? { schemaVersion: 2, mediaType, config: plain(config), layers: layers.map(plain) }
      : { ...manifest, mediaType, config, layers, ...subjectOf(manifest, replacements) };
  return document(written, { descriptor, mediaType, format, annotations: manifest.annotations });
}

/** The index with the manifests that the copy has. */
export function rewriteIndex(
  { index, descriptor, bytes }: IndexNode,
  {
    format,
    replacements,
    kept,
  }: {
    readonly format: ManifestFormat;
    readonly replacements: Replacements;
    /** The entries that stay; undefined: all. */
    readonly kept?: ReadonlySet<Digest> | undefined;
  },
): RewrittenDocument {
  const entries = index.manifests.filter(({ digest }) => kept?.has(digest) ?? true);
  const mediaType = documentType(format, 'index');
  const isSame =
    mediaType === descriptor.mediaType &&
    entries.length === index.manifests.length &&
    entries.every(({ digest }) => !replacements.has(digest));
  if (isSame) return { descriptor, bytes, droppedAnnotations: false };
  const manifests = entries.map((entry) => {
    const { digest, size, mediaType: type } = replacements.get(entry.digest) ?? entry;
    const renewed = { ...entry, ...attestationOf(entry, replacements), mediaType: type, digest, size };
    return format === 'docker' ? plain(renewed) : renewed;
  });
  const written: Index =
    format === 'docker'
      ? { schemaVersion: 2, mediaType, manifests }
      : { ...index, mediaType, manifests, ...subjectOf(index, replacements) };
  return document(written, { descriptor, mediaType, format, annotations: index.annotations });
}

function document(
  value: Manifest | Index,
  {
    descriptor,
    mediaType,
    format,
    annotations,
  }: {
    readonly descriptor: Descriptor;
    readonly mediaType: string;
    readonly format: ManifestFormat;
    readonly annotations: Readonly<Record<string, string>> | undefined;
  },
): RewrittenDocument {
  const bytes = encodeJson(value);
  const { data: _data, ...rest } = descriptor;
  return {
    descriptor: { ...rest, mediaType, digest: digestBytes(bytes), size: bytes.length },
    bytes,
    droppedAnnotations: format === 'docker' && Object.keys(annotations ?? {}).length > 0,
  };
}

/** The fields that a descriptor has in Docker's formats. */
function plain({ mediaType, digest, size, urls, platform }: Descriptor): Descriptor {
  return {
    mediaType,
    digest,
    size,
    ...(urls === undefined ? {} : { urls }),
    ...(platform === undefined ? {} : { platform }),
  };
}

function subjectOf({ subject }: Manifest | Index, replacements: Replacements): { subject?: Descriptor } {
  const renewed = subject && replacements.get(subject.digest);
  return renewed === undefined ? {} : { subject: renewed };
}

/** BuildKit says in an annotation which manifest an attestation is about. */
export const ATTESTATION_SUBJECT = 'vnd.docker.reference.digest';

function attestationOf(
  { annotations }: Descriptor,
  replacements: Replacements,
): { annotations?: Readonly<Record<string, string>> } {
  const about = annotations?.[ATTESTATION_SUBJECT];
  const renewed = about === undefined ? undefined : replacements.get(about as Digest);
  return renewed === undefined
    ? {}
    : { annotations: { ...annotations, [ATTESTATION_SUBJECT]: renewed.digest } };
}
