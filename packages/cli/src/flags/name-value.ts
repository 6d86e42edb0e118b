import { usageError } from '../errors.ts';

/** Reads `NAME=VALUE` texts of a flag; undefined when there are none. Throws ERR_OCI_USAGE. */
export function parseNameValues(
  texts: readonly string[] = [],
  flag: string,
): Readonly<Record<string, string>> | undefined {
  if (texts.length === 0) return undefined;
  return Object.fromEntries(
    texts.map((text) => {
      const equals = text.indexOf('=');
      if (equals <= 0) throw usageError(`${flag} ${JSON.stringify(text)} is not NAME=VALUE`);
      return [text.slice(0, equals), text.slice(equals + 1)];
    }),
  );
}
