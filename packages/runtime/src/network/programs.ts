import { accessSync, constants, statSync } from 'node:fs';
import { join } from 'node:path';
import { networkEnvironment } from '../env.ts';

/** Where programs of administrators are, which an ordinary user's PATH often lacks. */
const systemDirectories = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

/** Where distributions keep CNI plugins. */
const pluginDirectories = ['/usr/lib/cni', '/opt/cni/bin', '/usr/libexec/cni', '/usr/lib64/cni'];

function directoriesOf(path: string | undefined): readonly string[] {
  return (path ?? '').split(':').filter((directory) => directory.startsWith('/'));
}

/** A PATH with which the helpers find theirs. */
export function helperPath(): string {
  return [...new Set([...directoriesOf(networkEnvironment().PATH), ...systemDirectories])].join(':');
}

/** The directories with CNI plugins, in the form of CNI_PATH. */
export function pluginPath(): string {
  return [...directoriesOf(networkEnvironment().CNI_PATH), ...pluginDirectories].join(':');
}

/** The full path of a program in a list of directories. */
export function findIn(path: string, name: string): string | undefined {
  return path
    .split(':')
    .map((directory) => join(directory, name))
    .find(isProgram);
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    // Not here: the next place.
    return false;
  }
}
