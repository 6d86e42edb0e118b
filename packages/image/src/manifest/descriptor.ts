import type { Descriptor } from '../descriptor.ts';
import { isDigest } from '../digest/digest.ts';
import { verifyBytes } from '../digest/verify.ts';
import { isOciError } from '../errors.ts';
import {
  arrayOf,
  type FieldReader,
  fieldError,
  integerIn,
  type Place,
  placeOf,
  readString,
} from '../json/fields.ts';
import { objectOf } from '../json/shape.ts';
import { readDigest, readMediaType, readStringMap } from './common.ts';
import { readPlatform } from './platform-field.ts';

// RFC 3986: a scheme, then nothing but the characters a URI is made of.
const uri = /^[A-Za-z][A-Za-z0-9+.-]*:(?:[A-Za-z0-9\-._~:/?#[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2})*$/;

const readUrl: FieldReader<string> = (value, place) => {
  const text = readString(value, place);
  if (!uri.test(text))
    throw fieldError(place, `${JSON.stringify(text.slice(0, 120))} is not an absolute URI`);
  return text;
};

const readFields: FieldReader<Descriptor> = objectOf<Descriptor>(
  {
    mediaType: readMediaType,
    digest: readDigest,
    size: integerIn({ min: 0, max: Number.MAX_SAFE_INTEGER }),
    urls: arrayOf(readUrl),
    annotations: readStringMap,
    data: readString,
    artifactType: readMediaType,
    platform: readPlatform,
  },
  ['mediaType', 'digest', 'size'],
);

/** Embedded content must be canonical base64 and what digest and size say, or it would be a second, unverified source. */
function checkData(descriptor: Descriptor, data: string, place: Place): void {
  const bytes = Buffer.from(data, 'base64');
  if (bytes.toString('base64') !== data) throw fieldError(place, 'not base64 with padding');
  const { digest, size } = descriptor;
  if (bytes.length !== size)
    throw fieldError(place, `${bytes.length} bytes instead of ${size}`, {
      expected: size,
      actual: bytes.length,
    });
  if (!isDigest(digest)) return;
  try {
    verifyBytes(bytes, descriptor);
  } catch (cause) {
    if (!isOciError(cause)) throw cause;
    throw fieldError(place, cause.message, { ...cause.facts, cause, jsonPath: place.jsonPath });
  }
}

/** Reads a descriptor that stands inside another document. */
export const readDescriptor: FieldReader<Descriptor> = (value, place) => {
  const descriptor = readFields(value, place);
  if (descriptor.data !== undefined) checkData(descriptor, descriptor.data, placeOf(place, 'data'));
  return descriptor;
};

/**
 * Checks a parsed JSON value to be a descriptor (image-spec `descriptor.md`): media type of the form that RFC 6838
 * allows, digest of any algorithm, size of 0 to 2^53-1 bytes, absolute urls, annotations of text, and embedded data that
 * is what digest and size say. `jsonPath` is the value's place in its document, for messages.
 *
 * Throws ERR_OCI_MANIFEST_INVALID.
 */
export function parseDescriptor(value: unknown, jsonPath: string): Descriptor {
  return readDescriptor(value, { what: 'descriptor', jsonPath, code: 'ERR_OCI_MANIFEST_INVALID' });
}
