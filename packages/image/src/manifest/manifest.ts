import { type FieldReader, fieldError, integerIn, type Place, readObject } from '../json/fields.ts';
import { parseJson } from '../json/parse.ts';
import { objectOf } from '../json/shape.ts';
import { MANIFEST_LIMIT } from '../limits.ts';
import { listOf, readMediaType, readStringMap } from './common.ts';
import { readDescriptor } from './descriptor.ts';
import { documentKind } from './document.ts';
import type { Index, Manifest } from './types.ts';

/** Options of the parsers of manifests and indexes. */
export interface ParseManifestOptions {
  /** What the source calls the document: its descriptor's media type, or the Content-Type without parameters. */
  readonly mediaType?: string | undefined;
}

/** Either kind of document that a reference may lead to. */
export type ManifestOrIndex =
  | { readonly kind: 'manifest'; readonly manifest: Manifest; readonly mediaType: string }
  | { readonly kind: 'index'; readonly index: Index; readonly mediaType: string };

const readSchemaVersion: FieldReader<2> = (value, place) => {
  integerIn({ min: 2, max: 2 })(value, place);
  return 2;
};

const readManifest: FieldReader<Manifest> = objectOf<Manifest>(
  {
    schemaVersion: readSchemaVersion,
    mediaType: readMediaType,
    artifactType: readMediaType,
    config: readDescriptor,
    layers: listOf(readDescriptor),
    subject: readDescriptor,
    annotations: readStringMap,
  },
  ['schemaVersion', 'config', 'layers'],
);

const readIndex: FieldReader<Index> = objectOf<Index>(
  {
    schemaVersion: readSchemaVersion,
    mediaType: readMediaType,
    artifactType: readMediaType,
    manifests: listOf(readDescriptor),
    subject: readDescriptor,
    annotations: readStringMap,
  },
  ['schemaVersion', 'manifests'],
);

function placeFor(what: string): Place {
  return { what, jsonPath: '$', code: 'ERR_OCI_MANIFEST_INVALID' };
}

function wrongKind(what: string, found: string): Error {
  return fieldError(placeFor(what), `the document is ${found}`, { expected: what, actual: found });
}

/**
 * Reads an image manifest or an image index, OCI or Docker schema 2, whichever the bytes hold
 * (image-spec `manifest.md`, `image-index.md`). Verify the bytes against their digest before.
 *
 * Throws ERR_OCI_MANIFEST_INVALID with the place in `facts.jsonPath`, ERR_OCI_MEDIA_TYPE_UNSUPPORTED for Docker
 * schema 1 and for other documents, ERR_OCI_JSON_INVALID, and ERR_OCI_LIMIT_EXCEEDED above 4 MiB.
 */
export function parseManifestOrIndex(raw: Uint8Array, options: ParseManifestOptions = {}): ManifestOrIndex {
  return readManifestDocument(raw, options);
}

/** The same, which hands faults of single fields to `onFault` and goes on; one that is no such document is thrown. */
export function readManifestDocument(
  raw: Uint8Array,
  { mediaType: expected, onFault }: ParseManifestOptions & { readonly onFault?: Place['onFault'] },
): ManifestOrIndex {
  const place = { ...placeFor('image manifest'), onFault };
  const document = readObject(parseJson(raw, { limit: MANIFEST_LIMIT, what: place.what }), place);
  const { kind, mediaType } = documentKind(document, { expected, place });
  return kind === 'manifest'
    ? { kind, manifest: readManifest(document, place), mediaType }
    : { kind, index: readIndex(document, { ...placeFor('image index'), onFault }), mediaType };
}

/** Reads an image manifest; like {@link parseManifestOrIndex}, and throws ERR_OCI_MANIFEST_INVALID for an index. */
export function parseManifest(raw: Uint8Array, options: ParseManifestOptions = {}): Manifest {
  const parsed = parseManifestOrIndex(raw, options);
  if (parsed.kind !== 'manifest') throw wrongKind('image manifest', 'an image index');
  return parsed.manifest;
}

/** Reads an image index; like {@link parseManifestOrIndex}, and throws ERR_OCI_MANIFEST_INVALID for a manifest. */
export function parseIndex(raw: Uint8Array, options: ParseManifestOptions = {}): Index {
  const parsed = parseManifestOrIndex(raw, options);
  if (parsed.kind !== 'index') throw wrongKind('image index', 'an image manifest');
  return parsed.index;
}
