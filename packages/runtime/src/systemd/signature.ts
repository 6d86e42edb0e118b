/** A value with its type, as D-Bus carries it where the receiver cannot know the type. */
export interface Variant {
  readonly signature: string;
  readonly value: Value;
}

/** A value of D-Bus; 64-bit numbers are bigints, structures and dictionary entries are lists. */
export type Value = boolean | number | bigint | string | Variant | readonly Value[];

/** How values of a type start in a message: at a multiple of this many bytes. */
export const alignments: Readonly<Record<string, number>> = {
  y: 1,
  g: 1,
  v: 1,
  n: 2,
  q: 2,
  b: 4,
  i: 4,
  u: 4,
  s: 4,
  o: 4,
  a: 4,
  h: 4,
  x: 8,
  t: 8,
  d: 8,
  '(': 8,
  '{': 8,
};

const closing: Readonly<Record<string, string>> = { '(': ')', '{': '}' };

/** How deep a signature may nest (D-Bus specification, "Valid Signatures": 32 of each kind). */
const depthLimit = 64;

function endOfType(signature: string, start: number, depth = 0): number {
  const code = signature[start];
  if (code === undefined || depth > depthLimit || alignments[code] === undefined) {
    throw new RangeError(`not a D-Bus signature: ${JSON.stringify(signature)}`);
  }
  if (code === 'a') return endOfType(signature, start + 1, depth + 1);
  const close = closing[code];
  if (close === undefined) return start + 1;
  let at = start + 1;
  while (signature[at] !== close) at = endOfType(signature, at, depth + 1);
  return at + 1;
}

/** The single types of a signature: `sa(sv)` is `s` and `a(sv)`. Throws RangeError. */
export function typesOf(signature: string): string[] {
  const types: string[] = [];
  for (let at = 0; at < signature.length; ) {
    const end = endOfType(signature, at);
    types.push(signature.slice(at, end));
    at = end;
  }
  return types;
}
