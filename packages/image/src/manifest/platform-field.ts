import { type FieldReader, readString } from '../json/fields.ts';
import { objectOf, type Shape } from '../json/shape.ts';
import type { Platform } from '../platform.ts';
import { readStrings } from './common.ts';

/** Readers of a platform's fields, which an image configuration has at its top level. */
export const platformShape: Shape<Platform> = {
  os: readString,
  architecture: readString,
  variant: readString,
  'os.version': readString,
  'os.features': readStrings,
};

/** Reads the platform of a descriptor (image-spec `image-index.md`, "platform"). */
export const readPlatform: FieldReader<Platform> = objectOf<Platform>(platformShape, ['os', 'architecture']);
