import { access, constants } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

/** Whether this process may use a path so. */
export function isAccessible(path: string, mode: number): Promise<boolean> {
  return access(path, mode).then(
    () => true,
    () => false,
  );
}

/** The path itself, or the nearest of its parents that is there. */
export async function nearestExisting(path: string): Promise<string> {
  const absolute = resolve(path);
  const isLast = (await isAccessible(absolute, constants.F_OK)) || dirname(absolute) === absolute;
  return isLast ? absolute : nearestExisting(dirname(absolute));
}
