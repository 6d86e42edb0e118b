import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { uniqueName } from '../state/unique.ts';

/**
 * Writes a process id to a file in one step, so that a reader finds it whole. A symbolic link of that name is replaced,
 * not followed.
 */
export function writePidFile(path: string, pid: number): void {
  const temporary = `${path}.${uniqueName()}`;
  try {
    writeFileSync(temporary, String(pid), { flag: 'wx', mode: 0o644 });
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}
