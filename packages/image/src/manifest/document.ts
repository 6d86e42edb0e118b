import { ImageError } from '../errors.ts';
import { fieldError, type JsonObject, type Place, placeOf } from '../json/fields.ts';
import { isIndexType, isManifestType, isSchema1Type, MediaType } from '../media-types.ts';
import { readMediaType } from './common.ts';

/** Which of the two kinds of document bytes hold, and as what media type. */
export interface DocumentKind {
  readonly kind: 'manifest' | 'index';
  readonly mediaType: string;
}

/** Fields that belong to another kind of document; together they would be two images in one (CVE-2021-41190). */
const foreignFields = {
  manifest: ['manifests', 'fsLayers', 'history', 'blobs'],
  index: ['config', 'layers', 'fsLayers', 'history', 'blobs'],
} as const;

function schema1(): ImageError {
  return new ImageError(
    'ERR_OCI_MEDIA_TYPE_UNSUPPORTED',
    'image manifest is of the Docker schema 1, which is not supported',
    {
      actual: MediaType.dockerManifestSchema1,
      hint: 'schema 1 ended in 2017; push the image again with a current tool, which writes schema 2 or OCI',
    },
  );
}

function unsupported(mediaType: string): ImageError {
  return new ImageError(
    'ERR_OCI_MEDIA_TYPE_UNSUPPORTED',
    `media type ${JSON.stringify(mediaType)} is neither an image manifest nor an image index`,
    { actual: mediaType, hint: `supported are OCI and Docker schema 2, such as ${MediaType.manifest}` },
  );
}

function declaredMediaType(document: JsonObject, place: Place): string | undefined {
  const { mediaType } = document;
  return mediaType === undefined || mediaType === null
    ? undefined
    : readMediaType(mediaType, placeOf(place, 'mediaType'));
}

function guessMediaType(document: JsonObject, place: Place): string {
  if (document['manifests'] !== undefined) return MediaType.index;
  if (document['config'] !== undefined || document['layers'] !== undefined) return MediaType.manifest;
  throw fieldError(place, 'neither an image manifest nor an image index', {
    hint: 'a manifest has the fields config and layers, an index has manifests',
  });
}

/**
 * Tells what a document is: by its own `mediaType`, which must agree with what its source called it, else by that,
 * else by its fields. Refuses a document that has fields of both kinds.
 */
export function documentKind(
  document: JsonObject,
  { expected, place }: { readonly expected: string | undefined; readonly place: Place },
): DocumentKind {
  const declared = declaredMediaType(document, place);
  const isSchema1 =
    document['schemaVersion'] === 1 || [declared, expected].some((t) => t && isSchema1Type(t));
  if (isSchema1) throw schema1();
  if (declared !== undefined && expected !== undefined && declared !== expected)
    throw fieldError(placeOf(place, 'mediaType'), `"${declared}" where the source says "${expected}"`, {
      expected,
      actual: declared,
      hint: 'the document is served or referred to under a wrong media type; do not trust it',
    });
  const mediaType = declared ?? expected ?? guessMediaType(document, place);
  const kind = isIndexType(mediaType) ? 'index' : 'manifest';
  if (kind === 'manifest' && !isManifestType(mediaType)) throw unsupported(mediaType);
  for (const name of foreignFields[kind])
    if (Object.hasOwn(document, name))
      throw fieldError(placeOf(place, name), `an image ${kind} does not have this field`, {
        hint: 'a document that could be read in two ways is refused (CVE-2021-41190)',
      });
  return { kind, mediaType };
}
