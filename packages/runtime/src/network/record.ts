import { readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { RuntimeError } from '../errors.ts';
import { networkAnswerLimit } from '../limits.ts';
import type { ProcessIdentity } from '../process/stat.ts';
import { containerDirectory } from '../state/store.ts';
import { uniqueName } from '../state/unique.ts';
import type { NetworkConnection } from './types.ts';

/** One plugin of a CNI network: what it is given on its standard input. */
export type PluginConfig = Readonly<Record<string, unknown>> & { readonly type: string };

/** What undoing a connection needs, in `network.json` of the container's state; written before anything is made. */
export interface NetworkRecord {
  readonly connection: NetworkConnection;
  /** The plugins that were called, or are about to be, in their order. */
  readonly plugins?: readonly PluginConfig[];
  /** The network device of the host that containers of this state directory hang on. */
  readonly bridge?: string;
  /** What the last plugin answered. */
  readonly result?: unknown;
  /** The process that moves the container's packets. */
  readonly helper?: ProcessIdentity;
}

function recordFile(root: string, id: string): string {
  return `${containerDirectory(root, id)}/network.json`;
}

/** Where the network namespace of a container on a bridge is kept, for plugins that undo what they did in it. */
export function namespaceFile(root: string, id: string): string {
  return `${containerDirectory(root, id)}/netns`;
}

/** Replaces the record in one step. */
export function writeNetworkRecord(root: string, id: string, record: NetworkRecord): void {
  const path = recordFile(root, id);
  const temporary = `${path}.${uniqueName()}`;
  writeFileSync(temporary, JSON.stringify(record), { flag: 'wx', mode: 0o600 });
  renameSync(temporary, path);
}

/** Forgets a connection that was undone. */
export function removeNetworkRecord(root: string, id: string): void {
  rmSync(recordFile(root, id), { force: true });
}

/** Reads the record; undefined for a container without a connection. Throws ERR_OCI_NETWORK_INVALID. */
export function readNetworkRecord(root: string, id: string): NetworkRecord | undefined {
  const path = recordFile(root, id);
  const size = statSync(path, { throwIfNoEntry: false })?.size;
  if (size === undefined) return undefined;
  if (size > networkAnswerLimit) throw invalid(path, 'it is too large');
  try {
    const record = JSON.parse(readFileSync(path, 'utf8')) as Partial<NetworkRecord> | null;
    if (typeof record?.connection?.mode === 'string' && Array.isArray(record.connection.ports))
      return record as NetworkRecord;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw invalid(path, (cause as Error).message);
  }
  throw invalid(path, 'it has another form');
}

function invalid(path: string, reason: string): RuntimeError {
  return new RuntimeError('ERR_OCI_NETWORK_INVALID', `${path} is no record of a connection: ${reason}`, {
    path,
  });
}
