/** JSON in which bigints are numbers, with all their digits. */
export function stringifyExact(value: unknown, indent?: string | number): string {
  const mark = '\u0000';
  const text = JSON.stringify(
    value,
    (_, member: unknown) => (typeof member === 'bigint' ? `${mark}${member}` : member),
    indent,
  );
  // A NUL never occurs in what the kernel says, and JSON writes it in just this way.
  return text.replace(/"\\u0000(-?\d+)"/g, '$1');
}
