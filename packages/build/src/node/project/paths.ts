import { posix } from 'node:path';

/** Where a path leads from a directory, both relative to the root (`.`); `undefined` when that is outside of it. */
export function insideRoot(directory: string, path: string): string | undefined {
  if (path.startsWith('/') || path.includes('\0')) return undefined;
  const joined = posix.join(directory, path).replace(/(?<=.)\/$/, '');
  return joined === '..' || joined.startsWith('../') ? undefined : joined;
}

export function join(directory: string, name: string): string {
  return directory === '.' ? name : `${directory}/${name}`;
}

/** The directories above a path, itself first, up to the root (`.`). */
export function* upwards(path: string): Generator<string> {
  for (let at = path; at !== '.'; at = posix.dirname(at)) yield at;
  yield '.';
}

/** Names that npm knows for packages: none of them leads to another directory. */
export function isPackageName(name: string): boolean {
  return (
    /^(?:@[^@/\\\s.][^/\\\s]*\/)?[^@/\\\s.][^/\\\s]*$/.test(name) &&
    !name.includes('\0') &&
    name !== 'node_modules'
  );
}
