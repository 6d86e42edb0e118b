import { readFileSync } from 'node:fs';

/** The version of this package. */
export function packageVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

/** The text of `--version`, in the lines that callers of runc look for. */
export function versionText(): string {
  return `oci-runtime version ${packageVersion()}\nspec: 1.2.0\nnode: ${process.version}\n`;
}
