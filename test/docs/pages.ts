import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The root of the repository. */
export const root: string = fileURLToPath(new URL('../..', import.meta.url));

/** Every page of the documentation, by its path from the root. */
export const pages: readonly string[] = globSync(
  ['*.md', 'docs/**/*.md', 'examples/**/*.md', 'packages/*/*.md', 'packages/*/{src,native}/**/*.md'],
  { cwd: root, exclude: (name) => name === 'node_modules' },
).sort();

/** The text of a page. */
export function readPage(page: string): string {
  return readFileSync(`${root}${page}`, 'utf8');
}
