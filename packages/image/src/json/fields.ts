import { ImageError, type ImageErrorCode } from '../errors.ts';
import { jsonPathStep } from './scan.ts';

/** A JSON object before its fields were checked. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** Where a value was found and how to complain about it. */
export interface Place {
  /** What a message calls the document, such as `image manifest`. */
  readonly what: string;
  readonly jsonPath: string;
  readonly code: ImageErrorCode;
  /** Receives what is wrong with one value, so that the others are read all the same; without it the first fault is thrown. */
  readonly onFault?: ((fault: ImageError) => void) | undefined;
}

/** Turns the value of a field into its type, or throws at its place. */
export type FieldReader<T> = (value: unknown, place: Place) => T;

/** The values that an integer field may take. */
export interface IntegerRange {
  readonly min: number;
  readonly max: number;
}

/** The place of a field or an element of the value at `place`. */
export function placeOf(place: Place, step: string | number): Place {
  return { ...place, jsonPath: jsonPathStep(place.jsonPath, step) };
}

/** Reads a value; undefined for a wrong one whose fault the place takes. */
export function attempt<T>({ onFault }: Place, read: () => T): T | undefined {
  if (onFault === undefined) return read();
  try {
    return read();
  } catch (error) {
    if (!(error instanceof ImageError)) throw error;
    onFault(error);
    return undefined;
  }
}

/** An error about the value at `place`. */
export function fieldError(
  place: Place,
  problem: string,
  details: ConstructorParameters<typeof ImageError>[2] = {},
): ImageError {
  const { what, jsonPath, code } = place;
  return new ImageError(code, `${what} is invalid at ${jsonPath}: ${problem}`, { jsonPath, ...details });
}

/** The name of a value's JSON type. */
export function jsonTypeOf(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}

function typeError(place: Place, expected: string, value: unknown): ImageError {
  const actual = jsonTypeOf(value);
  return fieldError(place, `expected ${expected}, found ${actual}`, { expected, actual });
}

export const readString: FieldReader<string> = (value, place) => {
  if (typeof value !== 'string') throw typeError(place, 'string', value);
  return value;
};

export const readBoolean: FieldReader<boolean> = (value, place) => {
  if (typeof value !== 'boolean') throw typeError(place, 'boolean', value);
  return value;
};

export const readObject: FieldReader<JsonObject> = (value, place) => {
  if (jsonTypeOf(value) !== 'object') throw typeError(place, 'object', value);
  return value as JsonObject;
};

/** Reads an integer that JavaScript holds exactly. */
export function integerIn({ min, max }: IntegerRange): FieldReader<number> {
  return (value, place) => {
    if (typeof value !== 'number') throw typeError(place, 'integer', value);
    if (!Number.isSafeInteger(value)) throw fieldError(place, `${value} is not an integer of exact size`);
    if (value < min || value > max) throw fieldError(place, `${value} is not from ${min} to ${max}`);
    return value;
  };
}

/** Reads an array whose elements all pass `element`. */
export function arrayOf<T>(element: FieldReader<T>): FieldReader<readonly T[]> {
  return (value, place) => {
    if (!Array.isArray(value)) throw typeError(place, 'array', value);
    return value.flatMap((item: unknown, index) => {
      const read = attempt(place, () => element(item, placeOf(place, index)));
      return read === undefined ? [] : [read];
    });
  };
}

/** Reads an object, used as a map, whose values all pass `element`. */
export function mapOf<T>(element: FieldReader<T>): FieldReader<Readonly<Record<string, T>>> {
  return (value, place) => {
    const entries = Object.entries(readObject(value, place));
    return Object.fromEntries(
      entries.flatMap(([name, item]) => {
        const read = attempt(place, () => element(item, placeOf(place, name)));
        return read === undefined ? [] : [[name, read]];
      }),
    );
  };
}
