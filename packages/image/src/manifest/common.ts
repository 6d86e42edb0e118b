import { type Digest, parseAnyDigest } from '../digest/digest.ts';
import { isOciError } from '../errors.ts';
import { arrayOf, type FieldReader, fieldError, mapOf, readString } from '../json/fields.ts';
import { isMediaType } from '../media-types.ts';

/** Reads a digest of any algorithm: a descriptor may point at content that this toolchain cannot verify. */
export const readDigest: FieldReader<Digest> = (value, place) => {
  const text = readString(value, place);
  try {
    return parseAnyDigest(text);
  } catch (cause) {
    if (!isOciError(cause)) throw cause;
    throw fieldError(place, cause.message, { ...cause.facts, cause, jsonPath: place.jsonPath });
  }
};

/** Reads a list that must be there; null counts as an empty one, because Go's tools write it for that. */
export function listOf<T>(element: FieldReader<T>): FieldReader<readonly T[]> {
  const read = arrayOf(element);
  return (value, place) => (value === null ? [] : read(value, place));
}

/** Reads a media type of the form that RFC 6838 allows. */
export const readMediaType: FieldReader<string> = (value, place) => {
  const text = readString(value, place);
  if (!isMediaType(text))
    throw fieldError(place, `${JSON.stringify(text.slice(0, 80))} is not a media type`, {
      hint: 'a media type looks like application/vnd.oci.image.manifest.v1+json',
    });
  return text;
};

/** Reads annotations or labels: names with text values. */
export const readStringMap: FieldReader<Readonly<Record<string, string>>> = mapOf(readString);

/** Reads a list of text. */
export const readStrings: FieldReader<readonly string[]> = arrayOf(readString);
