import type { Location } from './create.ts';
import { check, cString, declare, type Path } from './library.ts';

const unlinkatFunction = declare('int unlinkat(int fd, const char *path, int flags)');
const renameatFunction = declare('int renameat(int from, const char *path, int to, const char *newPath)');

/** unlinkat(2); AT_REMOVEDIR in `flags` removes an empty directory. Throws {@link SystemCallError}. */
export function unlinkat(directory: number, path: Path, options: { readonly flags?: number } = {}): void {
  check(unlinkatFunction(directory, cString(path, 'unlinkat'), options.flags ?? 0), {
    syscall: 'unlinkat',
    path,
  });
}

/** renameat(2): atomic, replaces what `to` names. Throws {@link SystemCallError}. */
export function renameat(from: Location, to: Location): void {
  const source = cString(from.path, 'renameat');
  const target = cString(to.path, 'renameat');
  check(renameatFunction(from.directory, source, to.directory, target), {
    syscall: 'renameat',
    path: from.path,
  });
}
