/** Splits the value of a flag at commas; a field in double quotes may hold them. */
export function splitFields(value: string): readonly string[] {
  const fields: string[] = [];
  for (const [, quoted, plain = ''] of value.matchAll(/(?:"((?:[^"]|"")*)"|([^,]*))(?:,|$)/g))
    fields.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
  return fields.filter((field) => field !== '');
}
