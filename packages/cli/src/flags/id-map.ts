import type { IdMapping } from '@ocijs/bundle';
import { CliError } from '../errors.ts';

/** Reads the values of `--uid-map` or `--gid-map`. Throws ERR_OCI_USAGE. */
export async function parseIdMaps(
  flag: string,
  texts: readonly string[] | undefined,
): Promise<readonly IdMapping[]> {
  const { parseIdMapping } = await import('@ocijs/bundle');
  return (texts ?? []).map((text) => {
    try {
      return parseIdMapping(text);
    } catch (cause) {
      throw new CliError('ERR_OCI_USAGE', `${flag} ${JSON.stringify(text)} is not CONTAINER:HOST:SIZE`, {
        cause,
        hint: 'for example 0:100000:65536',
      });
    }
  });
}
