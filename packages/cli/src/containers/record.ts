import { randomUUID } from 'node:crypto';
import { open, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { PortMapping } from '@ocijs/runtime';
import { CliError } from '../errors.ts';
import type { HealthConfig } from '../health/config.ts';
import type { NetworkChoice } from '../network/choice.ts';
import type { HostNames } from '../network/files.ts';

/** How a container ended. */
export interface ContainerExit {
  readonly code: number;
  /** The signal that ended it, such as `SIGKILL`. */
  readonly signal?: string;
  /** RFC 3339. */
  readonly finished: string;
}

/** How a container was asked to be connected. */
export interface ContainerNetwork {
  readonly choice: NetworkChoice;
  /** A port 0 of the host is chosen when it is connected. */
  readonly ports: readonly PortMapping[];
}

/** What `run` keeps of a container, in `container.json` of its directory. */
export interface ContainerRecord {
  /** 64 hexadecimal digits. */
  readonly id: string;
  readonly name: string;
  readonly image: { readonly name: string; readonly digest: string };
  readonly command: readonly string[];
  /** RFC 3339. */
  readonly created: string;
  /** Where the runtime keeps the state of the running container. */
  readonly root: string;
  /** Remove it when it ends. */
  readonly remove: boolean;
  /** Another runtime that runs it, of which only the `oci` that started it knows how it is. */
  readonly runtime?: string;
  /** Whoever runs it answers its calls about owners of files, and must be there as long as it runs. */
  readonly emulatesOwners?: boolean;
  /** The bundle that was launched; inside the container's directory unless `--bundle` named one. */
  readonly bundle: string;
  readonly exit?: ContainerExit;
  /** What the image wants to be stopped with; SIGTERM when it does not say. */
  readonly stopSignal?: string;
  /** How long `stop` waits, in seconds; -1 is for ever. */
  readonly stopTimeout?: number;
  readonly labels?: Readonly<Record<string, string>>;
  readonly network?: ContainerNetwork;
  /** What its `/etc/hosts` is made of. */
  readonly names?: HostNames;
  readonly health?: HealthConfig;
  /** The process that is preparing the container; once it can be launched there is none. */
  readonly preparedBy?: number;
}

const fileName = 'container.json';

/** Largest record that is read, in bytes. */
const sizeLimit = 1024 * 1024;

/**
 * Writes the record so that a reader sees the old one or the new one, never a part; on the disk when it resolves,
 * but for that of a container which is still being prepared.
 */
export async function writeRecord(directory: string, record: ContainerRecord): Promise<void> {
  const temporary = join(directory, `.${fileName}.${randomUUID()}`);
  {
    await using file = await open(temporary, 'wx', 0o600);
    await file.writeFile(`${JSON.stringify(record, null, 2)}\n`);
    if (record.preparedBy === undefined) await file.sync();
  }
  await rename(temporary, join(directory, fileName));
}

/** Reads a record; undefined when the directory has none, as while it is being made or removed. */
export async function readRecord(directory: string): Promise<ContainerRecord | undefined> {
  const path = join(directory, fileName);
  const raw = await readLimited(path);
  if (raw === undefined) return undefined;
  const { parseJson } = await import('@ocijs/image');
  const value = parseJson(raw, { limit: sizeLimit, what: fileName });
  if (isRecord(value)) return value;
  throw new CliError('ERR_OCI_CONTAINER_INVALID', `${path} is not a container record`);
}

async function readLimited(path: string): Promise<Uint8Array | undefined> {
  try {
    await using file = await open(path, 'r');
    const { size } = await file.stat();
    if (size > sizeLimit)
      throw new CliError('ERR_OCI_CONTAINER_INVALID', `${path} is larger than ${sizeLimit} bytes`);
    return await file.readFile();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function isRecord(value: unknown): value is ContainerRecord {
  if (typeof value !== 'object' || value === null) return false;
  const record: Partial<Record<keyof ContainerRecord, unknown>> = value;
  const texts = [record.id, record.name, record.created, record.root, record.bundle];
  return (
    texts.every((text) => typeof text === 'string') &&
    Array.isArray(record.command) &&
    typeof record.image === 'object' &&
    typeof record.remove === 'boolean'
  );
}
