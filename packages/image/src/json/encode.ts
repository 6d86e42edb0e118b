function sortNames(_name: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const entries = Object.entries(value);
  // Object.fromEntries defines properties, so that a name such as "__proto__" stays a name.
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
}

/**
 * Writes a value as JSON bytes: the same bytes for equal values, whatever order their properties were set in.
 * Names are sorted by UTF-16 code unit, there is no white space, properties that are undefined are left out.
 */
export function encodeJson(value: object): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value, sortNames));
}
