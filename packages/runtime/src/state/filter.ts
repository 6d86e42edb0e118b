import { writeFileSync } from 'node:fs';
import { filterSizeLimit } from '../limits.ts';
import { readRegularFile } from '../regular-file.ts';
import { containerDirectory } from './store.ts';

/** A compiled seccomp filter: instructions of struct sock_filter, and flags of seccomp(2). */
export interface StoredFilter {
  readonly program: Uint8Array;
  readonly flags: number;
}

function filterPath(root: string, id: string): string {
  return `${containerDirectory(root, id)}/seccomp.bpf`;
}

/** Keeps a container's filter for processes that join it later: the profile itself loses exactness in JSON. */
export function writeFilter(root: string, id: string, { program, flags }: StoredFilter): void {
  const head = Buffer.alloc(4);
  head.writeUInt32LE(flags);
  writeFileSync(filterPath(root, id), Buffer.concat([head, program]), { flag: 'wx', mode: 0o600 });
}

/** The filter that a container was made with; undefined when it has none. */
export function readFilter(root: string, id: string): StoredFilter | undefined {
  try {
    const bytes = readRegularFile(filterPath(root, id), { limit: filterSizeLimit });
    return { flags: bytes.readUInt32LE(0), program: bytes.subarray(4) };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
