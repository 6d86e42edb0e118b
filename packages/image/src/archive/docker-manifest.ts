import { arrayOf, type FieldReader, fieldError, placeOf, readObject, readString } from '../json/fields.ts';
import { parseJson } from '../json/parse.ts';
import { objectOf } from '../json/shape.ts';
import { ARCHIVE_IMAGES_LIMIT, MANIFEST_LIMIT } from '../limits.ts';
import { invalidArchive } from './failure.ts';

/** One image in the `manifest.json` of `docker save`; all names are of members of the archive. */
export interface DockerArchiveImage {
  readonly Config: string;
  readonly RepoTags?: readonly string[];
  /** Lowest first. */
  readonly Layers?: readonly string[];
}

const readImage: FieldReader<DockerArchiveImage> = objectOf<DockerArchiveImage>(
  { Config: readString, RepoTags: arrayOf(readString), Layers: arrayOf(readString) },
  ['Config'],
);

const fieldNames: ReadonlyMap<string, string> = new Map(
  ['Config', 'RepoTags', 'Layers'].map((name) => [name.toLowerCase(), name]),
);

/** Docker does not mind the case of the names, and jib writes them in lower case; the same name twice is refused. */
const readAnyCase: FieldReader<DockerArchiveImage> = (value, place) => {
  const fields = new Map<string, unknown>();
  for (const [written, field] of Object.entries(readObject(value, place))) {
    const name = fieldNames.get(written.toLowerCase()) ?? written;
    if (fields.has(name)) throw fieldError(placeOf(place, written), `the field ${name} is there twice`);
    fields.set(name, field);
  }
  return readImage(Object.fromEntries(fields), place);
};

/** Reads a `manifest.json`. Throws ERR_OCI_ARCHIVE_INVALID, also when it names no image. */
export function parseDockerManifest(raw: Uint8Array, location: string): readonly DockerArchiveImage[] {
  const what = `manifest.json in ${location}`;
  const value = parseJson(raw, { limit: MANIFEST_LIMIT, what });
  const images =
    value === null
      ? []
      : arrayOf(readAnyCase)(value, { what, jsonPath: '$', code: 'ERR_OCI_ARCHIVE_INVALID' });
  if (images.length === 0) throw invalidArchive(location, 'names no image in its manifest.json');
  if (images.length > ARCHIVE_IMAGES_LIMIT)
    throw invalidArchive(location, `names more than ${ARCHIVE_IMAGES_LIMIT} images`, {
      limit: ARCHIVE_IMAGES_LIMIT,
      actual: images.length,
    });
  return images;
}
