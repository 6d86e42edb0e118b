import { readFileSync } from 'node:fs';
import type { IdMapping } from './spec/types.ts';

/** Which ids there are in the user namespace of this process. */
export interface NamespaceIds {
  readonly uidMappings: readonly IdMapping[];
  readonly gidMappings: readonly IdMapping[];
}

/** The ids of this process's user namespace; undefined in the initial one, which has all. */
export function namespaceIds(): NamespaceIds | undefined {
  const uidMappings = parseMap(readFileSync('/proc/self/uid_map', 'utf8'));
  const gidMappings = parseMap(readFileSync('/proc/self/gid_map', 'utf8'));
  return isInitial(uidMappings) && isInitial(gidMappings) ? undefined : { uidMappings, gidMappings };
}

/** True where root is the only user: files can be given to nobody else. */
export function hasOneUser({ uidMappings, gidMappings }: NamespaceIds): boolean {
  return [uidMappings, gidMappings].some((map) => map.reduce((sum, { size }) => sum + size, 0) <= 1);
}

function parseMap(text: string): readonly IdMapping[] {
  return text
    .trim()
    .split('\n')
    .map((line) => {
      const [containerID = 0, hostID = 0, size = 0] = line.trim().split(/\s+/).map(Number);
      return { containerID, hostID, size };
    });
}

const allIds = 4_294_967_295;

function isInitial([only, ...more]: readonly IdMapping[]): boolean {
  return only?.containerID === 0 && only.hostID === 0 && only.size === allIds && more.length === 0;
}
