import { randomBytes } from 'node:crypto';
import { type FileHandle, mkdir, open, readFile, realpath, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { RegistryError } from '../errors.ts';
import { normalizeKey, parseAuthDocument, parseAuthFile } from './docker-config.ts';
import { withFileLock } from './file-lock.ts';
import type { StorableCredentials } from './helper.ts';
import { serverKey } from './keychain.ts';

/** One change of an authentication file. */
export interface AuthFileEdit {
  /** `HOST[:PORT]` or `HOST[:PORT]/NAMESPACE`, normalized. */
  readonly name: string;
  /** What the file is to hold for it; `in-helper`: that a helper has it; undefined: nothing. */
  readonly entry: StorableCredentials | 'in-helper' | undefined;
  readonly signal?: AbortSignal | undefined;
}

type Document = Readonly<Record<string, unknown>>;

/** How often a file that another program changes meanwhile is read again. */
const attempts = 5;

/**
 * Changes the entry of one registry in an authentication file of Docker or podman and leaves everything else
 * in it as it is, also what we do not know. The file is replaced in one step, readable by its owner only;
 * a symbolic link stays, and its target is replaced. False when there was nothing to change.
 *
 * Throws ERR_OCI_REGISTRY_CREDENTIALS_INVALID, without quoting the file.
 */
export async function editAuthFile(path: string, edit: AuthFileEdit): Promise<boolean> {
  const file = await resolveLink(path);
  if (edit.entry === undefined && (await readVersion(file)) === undefined) return false;
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    return await withFileLock(join(dirname(file), `.${basename(file)}.oci-lock`), {
      work: () => editLocked(file, { ...edit, path }),
      signal: edit.signal,
    });
  } catch (error) {
    edit.signal?.throwIfAborted();
    if (error instanceof RegistryError) throw error;
    throw unwritable(path, `cannot be written (${String((error as { code?: unknown }).code)})`, error);
  }
}

/** The lock keeps our own processes apart; Docker and podman are noticed when they change the file meanwhile. */
async function editLocked(file: string, edit: AuthFileEdit & { readonly path: string }): Promise<boolean> {
  const { path, signal } = edit;
  for (let attempt = 1; attempt <= attempts; attempt++) {
    signal?.throwIfAborted();
    const before = await readVersion(file);
    parseAuthFile(before?.text ?? '', path);
    const changed = changeEntry(parseAuthDocument(before?.text ?? '', path), edit);
    if (changed === undefined) return false;
    if (await replaceFile(file, { text: `${JSON.stringify(changed, null, '\t')}\n`, before })) return true;
  }
  throw unwritable(path, 'is being changed by another program all the time');
}

/** All keys that mean the registry go, so that an old one under another spelling does not win. */
function changeEntry(
  document: Document,
  { name, entry, path }: AuthFileEdit & { readonly path: string },
): Document | undefined {
  const auths = (document['auths'] ?? {}) as Document;
  const others = Object.entries(auths).filter(([key]) => normalizeKey(key) !== name);
  const isPresent = others.length < Object.keys(auths).length;
  if (entry === undefined && !isPresent) return undefined;
  // Docker knows its own registry by a URL only; podman understands both in Docker's file.
  const key = basename(path) === 'config.json' ? serverKey(name) : name;
  const added = entry === undefined ? [] : [[key, encodeEntry(entry)] as const];
  return { ...document, auths: Object.fromEntries([...others, ...added]) };
}

function encodeEntry(entry: StorableCredentials | 'in-helper'): Document {
  if (entry === 'in-helper') return {};
  if ('identityToken' in entry) {
    // Both tools leave out an entry whose user is empty.
    return { auth: base64('<token>:'), identitytoken: entry.identityToken };
  }
  return { auth: base64(`${entry.username}:${entry.password}`) };
}

function base64(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64');
}

interface Version {
  readonly text: string;
  readonly id: string;
  readonly uid: number;
  readonly gid: number;
}

async function readVersion(path: string): Promise<Version | undefined> {
  try {
    const { uid, gid } = await stat(path);
    // Taken before the text: a change in between is noticed as a change.
    const id = await versionOf(path);
    return { text: await readFile(path, 'utf8'), id, uid, gid };
  } catch (error) {
    const { code } = error as { code?: unknown };
    if (code === 'ENOENT') return undefined;
    throw unwritable(path, `cannot be read (${String(code)})`, error);
  }
}

async function versionOf(path: string): Promise<string> {
  const { dev, ino, size, mtimeNs } = await stat(path, { bigint: true });
  return `${dev} ${ino} ${size} ${mtimeNs}`;
}

async function resolveLink(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ENOENT') return path;
    throw unwritable(path, `cannot be reached (${String((error as { code?: unknown }).code)})`, error);
  }
}

/** False, and nothing written, when the file is no longer the one that was read. */
async function replaceFile(
  path: string,
  { text, before }: { readonly text: string; readonly before: Version | undefined },
): Promise<boolean> {
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}`);
  try {
    const handle = await open(temporary, 'wx', 0o600);
    try {
      await handle.writeFile(text);
      if (before !== undefined) await keepOwner(handle, before);
      await handle.sync();
    } finally {
      await handle.close();
    }
    const now = await versionOf(path).catch((error: unknown) => {
      if ((error as { code?: unknown }).code === 'ENOENT') return undefined;
      throw error;
    });
    if (now !== before?.id) return false;
    await rename(temporary, path);
    return true;
  } finally {
    await rm(temporary, { force: true });
  }
}

/** With sudo, a person's file must stay that person's. */
async function keepOwner(handle: FileHandle, { uid, gid }: Version): Promise<void> {
  const own = await handle.stat();
  if (process.geteuid?.() === 0 && (own.uid !== uid || own.gid !== gid)) await handle.chown(uid, gid);
}

function unwritable(path: string, reason: string, cause?: unknown): RegistryError {
  return new RegistryError('ERR_OCI_REGISTRY_CREDENTIALS_INVALID', `authentication file ${path} ${reason}`, {
    path,
    cause,
    hint: 'name another file with --authfile',
  });
}
