import type { BuildRight } from '@ocijs/build';
import { usageError } from '../errors.ts';

const known: readonly BuildRight[] = ['security.insecure', 'network.host'];

/** Reads `--allow`. Throws ERR_OCI_USAGE. */
export function parseRights(texts: readonly string[] = []): ReadonlySet<BuildRight> {
  return new Set(
    texts.map((text) => {
      const right = known.find((each) => each === text);
      if (right === undefined) throw usageError(`--allow ${text} is unknown`, `one of ${known.join(', ')}`);
      return right;
    }),
  );
}
