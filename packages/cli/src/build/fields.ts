import { usageError } from '../errors.ts';

/** `name=value,"name=value with, commas",…` as Docker's flags have it; a field without `=` is true. */
export function parseFields(text: string, flag: string): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  for (const [, quoted, plain = ''] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^,]*))(?:,|$)/g)) {
    const field = quoted === undefined ? plain : quoted.replaceAll('""', '"');
    if (field === '') continue;
    const [, name = '', value = 'true'] = /^([^=]+)(?:=(.*))?$/s.exec(field) ?? [];
    if (name === '') throw usageError(`${flag} ${text} is not name=value,…`);
    fields.set(name.trim().toLowerCase(), value);
  }
  return fields;
}

/** A field that is true or false. */
export function booleanField(
  fields: ReadonlyMap<string, string>,
  name: string,
  { flag, fallback }: { readonly flag: string; readonly fallback: boolean },
): boolean {
  const value = fields.get(name);
  if (value === undefined) return fallback;
  if (!/^(?:true|false|1|0)$/i.test(value))
    throw usageError(`${flag}: ${name} is true or false, not ${value}`);
  return /^(?:true|1)$/i.test(value);
}
