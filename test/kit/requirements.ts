import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** What a test needs of the machine. */
export interface Requirements {
  readonly root?: boolean;
  /** Programs that must be in PATH or in the system's own directories. */
  readonly commands?: readonly string[];
  /** Files that must be there. */
  readonly files?: readonly string[];
}

const searchPath = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/local/sbin', '/usr/sbin', '/sbin'];

/** The value for a test's `skip`: the reason why the test cannot run here, or false. */
export function missing(requirements: Requirements): string | false {
  if (process.platform !== 'linux') return 'needs Linux';
  if (requirements.root && process.getuid?.() !== 0) return 'needs root';
  for (const name of requirements.commands ?? [])
    if (findCommand(name) === undefined) return `needs ${name}, not installed`;
  for (const path of requirements.files ?? []) if (!isThere(path)) return `needs ${path}, not there`;
  return false;
}

/** The full path of a program, also from the directories that are only in root's PATH. */
export function findCommand(name: string): string | undefined {
  return searchPath.map((directory) => join(directory, name)).find((path) => isThere(path, constants.X_OK));
}

function isThere(path: string, mode = constants.F_OK): boolean {
  try {
    accessSync(path, mode);
    return true;
  } catch {
    return false;
  }
}
