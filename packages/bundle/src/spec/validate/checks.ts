/** One thing that is wrong with a configuration. */
export interface SpecViolation {
  /** Where, such as `$.process.cwd`. */
  readonly jsonPath: string;
  readonly code: 'ERR_OCI_SPEC_INVALID';
  readonly message: string;
}

/** Where a value is, and where to say what is wrong with it. */
export interface Place {
  readonly path: string;
  report(message: string): void;
  /** The place of a member or element. */
  at(key: string | number): Place;
}

/** Looks at a value; reports what is wrong. */
export type Check = (value: unknown, place: Place) => void;

/** A place at the root of a document that collects violations. */
export function rootPlace(violations: SpecViolation[]): Place {
  const placeAt = (path: string): Place => ({
    path,
    report: (message) => violations.push({ jsonPath: path, code: 'ERR_OCI_SPEC_INVALID', message }),
    at: (key) => placeAt(path + segment(key)),
  });
  return placeAt('$');
}

function segment(key: string | number): string {
  if (typeof key === 'number') return `[${key}]`;
  return /^[A-Za-z_][\w-]*$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`;
}

/** True for a JSON object. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** True or false. */
export const boolean: Check = (value, place) => {
  if (typeof value !== 'boolean') place.report('must be true or false');
};

/** Any text that a system call can take: a NUL would end it early. */
export const string: Check = (value, place) => {
  if (typeof value !== 'string') place.report('must be a string');
  else if (value.includes('\0')) place.report('must not contain a NUL character');
};

/** A string of at least one character. */
export const nonEmptyString: Check = (value, place) => {
  string(value, place);
  if (value === '') place.report('must not be empty');
};

/** A path from the root. */
export const absolutePath: Check = (value, place) => {
  string(value, place);
  if (typeof value === 'string' && !value.startsWith('/')) place.report('must be an absolute path');
};

/** A string of a form; `what` completes the sentence "must be …". */
export function pattern(expression: RegExp, what: string): Check {
  return (value, place) => {
    string(value, place);
    if (typeof value === 'string' && !expression.test(value)) place.report(`must be ${what}`);
  };
}

/** One of some words. */
export function oneOf(words: readonly string[]): Check {
  return (value, place) => {
    if (typeof value !== 'string' || !words.includes(value))
      place.report(`must be one of ${words.join(', ')}`);
  };
}

/** A whole number in a range, both ends included. */
export function integer(minimum: number, maximum: number): Check {
  return (value, place) => {
    if (typeof value !== 'number' || !Number.isInteger(value)) place.report('must be a whole number');
    else if (value < minimum || value > maximum) place.report(`must be between ${minimum} and ${maximum}`);
  };
}

export const int32: Check = integer(-(2 ** 31), 2 ** 31 - 1);
export const int64: Check = integer(-(2 ** 63), 2 ** 63);
export const uint16: Check = integer(0, 2 ** 16 - 1);
export const uint32: Check = integer(0, 2 ** 32 - 1);
export const uint64: Check = integer(0, 2 ** 64);

/** A list, each element checked. */
export function array(element: Check): Check {
  return (value, place) => {
    if (!Array.isArray(value)) {
      place.report('must be a list');
      return;
    }
    for (const [index, item] of value.entries()) element(item, place.at(index));
  };
}

/** A list without two elements of the same value of a field. */
export function uniqueBy(field: string, list: Check): Check {
  return (value, place) => {
    list(value, place);
    if (!Array.isArray(value)) return;
    const seen = new Set<unknown>();
    for (const [index, item] of value.entries()) {
      const key: unknown = isObject(item) ? item[field] : undefined;
      if (key === undefined) continue;
      if (seen.has(key)) place.at(index).at(field).report('is given twice');
      seen.add(key);
    }
  };
}

/** An object with any names, each value checked. */
export function record(element: Check, name?: Check): Check {
  return (value, place) => {
    if (!isObject(value)) {
      place.report('must be an object');
      return;
    }
    for (const [key, item] of Object.entries(value)) {
      name?.(key, place.at(key));
      element(item, place.at(key));
    }
  };
}

/** An object with known fields; other fields are ignored, as the specification asks. */
export function object(fields: {
  readonly required?: Readonly<Record<string, Check>>;
  readonly optional?: Readonly<Record<string, Check>>;
}): Check {
  return (value, place) => {
    if (!isObject(value)) {
      place.report('must be an object');
      return;
    }
    for (const [name, check] of Object.entries(fields.required ?? {})) {
      if (value[name] === undefined) place.at(name).report('is required');
      else check(value[name], place.at(name));
    }
    for (const [name, check] of Object.entries(fields.optional ?? {})) {
      if (value[name] !== undefined) check(value[name], place.at(name));
    }
  };
}
