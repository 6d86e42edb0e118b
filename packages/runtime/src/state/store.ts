import {
  type Dirent,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  type Stats,
  writeFileSync,
} from 'node:fs';
import { RuntimeError } from '../errors.ts';
import { stateSizeLimit } from '../limits.ts';
import type { ProcessIdentity } from '../process/stat.ts';
import { readRegularFile, UnfitFile } from '../regular-file.ts';
import { checkContainerId } from './id.ts';
import type { ContainerRecord } from './record.ts';
import { uniqueName } from './unique.ts';

const stateFile = 'state.json';
/**
 * What becomes known of a container while it is made is added in files of their own: some file systems (ext4) write a file
 * to the disk before it replaces another one.
 */
const initFile = 'init.json';
const finishedFile = 'finished';
/** Not a character of ids, so that no container's directory looks like one that is being removed. */
const removedMark = '@';

/** The directory of a container's state. */
export function containerDirectory(root: string, id: string): string {
  checkContainerId(id);
  return `${root}/${id}`;
}

function refuseForeign(path: string, stats: Stats): void {
  const user = process.geteuid?.() ?? 0;
  const isOurs = stats.isDirectory() && stats.uid === user && (stats.mode & 0o022) === 0;
  if (isOurs) return;
  throw new RuntimeError('ERR_OCI_STATE_DENIED', `state directory ${path} could be written by someone else`, {
    path,
    actual: stats.uid,
    expected: user,
    hint: 'It must be a directory of your own that nobody else can write.',
  });
}

function missing(id: string): RuntimeError {
  return new RuntimeError('ERR_OCI_CONTAINER_NOT_FOUND', `container ${id} does not exist`, { actual: id });
}

function makeRoot(root: string): void {
  try {
    mkdirSync(root, { recursive: true, mode: 0o700 });
  } catch (error) {
    const errno = (error as NodeJS.ErrnoException).code ?? 'unknown';
    throw new RuntimeError('ERR_OCI_STATE_DENIED', `cannot make state directory ${root}: ${errno}`, {
      path: root,
      errno,
      cause: error,
      hint: 'Name a directory that you can write with --root or OCI_ROOT.',
    });
  }
}

/**
 * Claims an id: makes its directory (0700), which only one process can, and writes the first record. Throws
 * ERR_OCI_CONTAINER_EXISTS when there is a container of this id, ERR_OCI_STATE_DENIED when the state could be
 * written by someone else.
 */
export function claimContainer(root: string, record: ContainerRecord): void {
  const directory = containerDirectory(root, record.id);
  makeRoot(root);
  refuseForeign(root, lstatSync(root));
  try {
    mkdirSync(directory, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    throw new RuntimeError(
      'ERR_OCI_CONTAINER_EXISTS',
      `container with given ID already exists: ${record.id}`,
      {
        actual: record.id,
        hint: 'Choose another id, or delete the container.',
      },
    );
  }
  writeRecord(root, record);
}

/** Replaces a container's record in one step. Throws ERR_OCI_CONTAINER_NOT_FOUND when it was removed meanwhile. */
export function writeRecord(root: string, record: ContainerRecord): void {
  const directory = containerDirectory(root, record.id);
  const temporary = `${directory}/${stateFile}.${uniqueName()}`;
  try {
    writeFileSync(temporary, JSON.stringify(record), { flag: 'wx', mode: 0o600 });
    renameSync(temporary, `${directory}/${stateFile}`);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw missing(record.id);
    rmSync(temporary, { force: true });
    throw error;
  }
}

function addFile(root: string, id: string, { name, text }: { name: string; text: string }): void {
  try {
    writeFileSync(`${containerDirectory(root, id)}/${name}`, text, { mode: 0o600 });
  } catch (error) {
    throw (error as NodeJS.ErrnoException).code === 'ENOENT' ? missing(id) : error;
  }
}

/** Adds the first process to a container's record. Throws ERR_OCI_CONTAINER_NOT_FOUND when it was removed meanwhile. */
export function writeInit(root: string, id: string, init: ProcessIdentity): void {
  addFile(root, id, { name: initFile, text: JSON.stringify(init) });
}

/** Says that a container is made. Throws ERR_OCI_CONTAINER_NOT_FOUND when it was removed meanwhile. */
export function writeFinished(root: string, id: string): void {
  addFile(root, id, { name: finishedFile, text: '' });
}

function parseInit(text: string): ProcessIdentity | undefined {
  try {
    const { pid, startTime } = JSON.parse(text) as Partial<ProcessIdentity>;
    return typeof pid === 'number' && typeof startTime === 'number' ? { pid, startTime } : undefined;
  } catch {
    // It is being written.
    return undefined;
  }
}

function withAdditions(directory: string, record: ContainerRecord): ContainerRecord {
  const text = record.init === undefined ? readStateFile(`${directory}/${initFile}`) : undefined;
  const init = text === undefined ? undefined : parseInit(text);
  const finished = record.finished || existsSync(`${directory}/${finishedFile}`);
  return { ...record, finished, ...(init && { init }) };
}

function readStateFile(path: string): string | undefined {
  try {
    return readRegularFile(path, { limit: stateSizeLimit }).toString('utf8');
  } catch (error) {
    const isUnfit = error instanceof UnfitFile || (error as NodeJS.ErrnoException).code === 'ENOENT';
    if (isUnfit) return undefined;
    throw error;
  }
}

function parseRecord(text: string, id: string): ContainerRecord | undefined {
  try {
    const record = JSON.parse(text) as Partial<ContainerRecord> | null;
    const isWhole =
      record !== null &&
      record.version === 1 &&
      record.id === id &&
      typeof record.bundle === 'string' &&
      typeof record.creator?.pid === 'number' &&
      typeof record.spec === 'object';
    return isWhole ? (record as ContainerRecord) : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Reads a container's record. Undefined when its directory has no usable one, as after a creation that was killed in its
 * first moment. Throws ERR_OCI_CONTAINER_NOT_FOUND, and ERR_OCI_STATE_DENIED for a directory of someone else.
 */
export function readRecord(root: string, id: string): ContainerRecord | undefined {
  const directory = containerDirectory(root, id);
  const stats = lstatSync(directory, { throwIfNoEntry: false });
  if (stats === undefined) throw missing(id);
  refuseForeign(directory, stats);
  const text = readStateFile(`${directory}/${stateFile}`);
  const record = text === undefined ? undefined : parseRecord(text, id);
  return record && withAdditions(directory, record);
}

/** Removes the rest of a removal that was killed in between. */
function sweep(root: string, id: string): void {
  let entries: string[];
  try {
    entries = readdirSync(root);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  for (const name of entries) {
    if (name.startsWith(`${removedMark}${id}${removedMark}`))
      rmSync(`${root}/${name}`, { recursive: true, force: true });
  }
}

/** Removes a container's state. Of several processes that try at once, one gets true. */
export function removeContainer(root: string, id: string): boolean {
  const directory = containerDirectory(root, id);
  const moved = `${root}/${removedMark}${id}${removedMark}${uniqueName()}`;
  try {
    renameSync(directory, moved);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    sweep(root, id);
    return false;
  }
  rmSync(moved, { recursive: true, force: true });
  return true;
}

/** The ids of all containers, sorted; none when there is no state directory. */
export function listContainers(root: string): string[] {
  let entries: Dirent[];
  try {
    entries = readdirSync(root, { withFileTypes: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
  return entries
    .filter((entry) => entry.isDirectory() && /^[A-Za-z0-9_+.-]+$/.test(entry.name))
    .map((entry) => entry.name)
    .sort();
}

/** The fifo that a created container waits on; it is there exactly until the container is started. */
export function startFifo(root: string, id: string): string {
  return `${containerDirectory(root, id)}/exec.fifo`;
}

/** True while a container has not been started. */
export function isWaitingToStart(root: string, id: string): boolean {
  return existsSync(startFifo(root, id));
}
