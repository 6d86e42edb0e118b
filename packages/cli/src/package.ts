import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Where this package is, seen from `src/` and `dist/` alike. */
export const packageRoot: string = fileURLToPath(new URL('..', import.meta.url));

/** The version of this package. */
export function packageVersion(): string {
  const { version } = JSON.parse(readFileSync(`${packageRoot}/package.json`, 'utf8')) as { version: string };
  return version;
}
