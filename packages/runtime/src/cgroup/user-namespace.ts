import { existsSync, readFileSync } from 'node:fs';

/** Which ids the initial user namespace has: all, as they are. */
const allIds = '0 0 4294967295';

/** True where this process is in a user namespace of its own: the kernel makes no device nodes for anyone there. */
export function inUserNamespace(): boolean {
  const file = '/proc/self/uid_map';
  return existsSync(file) && readFileSync(file, 'utf8').trim().split(/\s+/).join(' ') !== allIds;
}
