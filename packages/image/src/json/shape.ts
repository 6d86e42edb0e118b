import {
  attempt,
  type FieldReader,
  fieldError,
  type JsonObject,
  type Place,
  placeOf,
  readObject,
} from './fields.ts';

/** A reader for every field that a type has. */
export type Shape<T> = { readonly [Name in keyof T]-?: FieldReader<Exclude<T[Name], undefined>> };

/** The fields of a type that must be there. */
export type RequiredNames<T> = {
  [Name in keyof T]-?: undefined extends T[Name] ? never : Name & string;
}[keyof T];

/** Two names are one to a parser that ignores case, as Go's does. */
function foldName(name: string): string {
  return name.toUpperCase().toLowerCase();
}

/**
 * Refuses a name that differs from a field's only in case: Go's parser takes `"Layers"` for `"layers"`, so two tools
 * would see two different images in the same bytes.
 */
function checkNames(object: JsonObject, known: ReadonlyMap<string, string>, place: Place): void {
  for (const name of Object.keys(object)) {
    const meant = known.get(foldName(name));
    if (meant === undefined || meant === name) continue;
    attempt(place, () => {
      throw fieldError(placeOf(place, name), `the field is called "${meant}"`, {
        expected: meant,
        actual: name,
      });
    });
  }
}

/**
 * A reader of objects of one type. Every field but the required ones may be absent, or null, which counts as absent
 * because tools written in Go write it for an empty list or map. Fields that the type does not have are kept.
 */
export function objectOf<T extends object>(
  shape: Shape<T>,
  required: readonly RequiredNames<T>[],
): FieldReader<T> {
  const readers = new Map<string, FieldReader<unknown>>(Object.entries(shape));
  const known = new Map([...readers.keys()].map((name) => [foldName(name), name]));
  const requiredNames = new Set<string>(required);
  return (value, place) => {
    const object = readObject(value, place);
    checkNames(object, known, place);
    for (const name of requiredNames)
      attempt(place, () => {
        if (!Object.hasOwn(object, name)) throw fieldError(placeOf(place, name), 'the field is missing');
      });
    const entries: [string, unknown][] = [];
    for (const [name, field] of Object.entries(object)) {
      const read = readers.get(name);
      if (read === undefined) entries.push([name, field]);
      else if (field !== null || requiredNames.has(name)) {
        const value = attempt(place, () => read(field, placeOf(place, name)));
        if (value !== undefined) entries.push([name, value]);
      }
    }
    return Object.fromEntries(entries) as T;
  };
}
