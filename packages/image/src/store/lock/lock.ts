import { createHash } from 'node:crypto';
import { lutimes, readdir, readlink, rm, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ImageError } from '../../errors.ts';
import { errnoOf } from '../failure.ts';
import { createToken, tokenLiveness, tokenPid } from './owner.ts';
import { createStaleness, HEARTBEAT_MS, type Staleness } from './staleness.ts';

/**
 * Locks between processes, without native code and without a daemon.
 *
 * A lock is a symbolic link whose target names its owner (pid, start time, boot and pid namespace, a nonce). symlink(2)
 * fails when the name is taken, and makes name and content visible in one step, so that there is no half-written lock.
 *
 * A killed owner leaves its link behind. Whoever finds the owner gone may remove exactly that link, and only while
 * it holds a second lock whose name is derived from the dead token. Since a token never comes twice, this second lock
 * guards one dead link and nothing else: a process that was slow to act on what it read finds another token, or no
 * lock, and leaves it alone. The second lock is a lock like any other, so that a killed breaker is broken likewise.
 *
 * Guarantees, among processes of one host:
 * - at most one holder at a time, as long as owners are seen (same pid namespace): an owner that is stopped or slow
 *   keeps its lock for any time;
 * - an owner that cannot be seen (another pid namespace, an earlier boot) renews its link every 3 s, and counts
 *   as gone after 30 s without: a holder must call {@link Lock.assertHeld} before what cannot be taken back;
 * - a lock is never stale for longer than that; waiting ends with the signal or the time limit;
 * - no order among those who wait.
 */
export interface Lock extends AsyncDisposable {
  /** Throws ERR_OCI_STORE_LOCKED when another process took the lock over. */
  assertHeld(): Promise<void>;
  /** Gives the lock up. Idempotent. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** How to wait for a lock. */
export interface LockOptions {
  /** What the lock protects, for messages: `index.json of the store /var/lib/oci`. */
  readonly what: string;
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds; for ever when not given. */
  readonly timeoutMs?: number | undefined;
}

/** One owner's attempts at one lock. */
interface Attempt {
  readonly token: string;
  readonly staleness: Staleness;
}

const LONGEST_PAUSE_MS = 100;
/** Breakers killed one after the other at the same lock; more is a forged directory. */
const BREAK_DEPTH = 16;

/**
 * Waits until the lock at `path` is free and takes it. Throws ERR_OCI_STORE_LOCKED after `timeoutMs`, rejects with
 * the signal's reason, and throws what the file system throws; the directory must exist.
 */
export async function acquireLock(path: string, options: LockOptions): Promise<Lock> {
  const { signal, timeoutMs = Number.POSITIVE_INFINITY } = options;
  signal?.throwIfAborted();
  const attempt: Attempt = { token: createToken(), staleness: createStaleness() };
  const deadline = performance.now() + timeoutMs;
  for (let pause = 1; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
    const holder = await take(path, attempt, 0);
    if (holder === undefined) return heldLock(path, attempt.token, options.what);
    if (performance.now() > deadline) throw timedOut(path, holder, { ...options, timeoutMs });
    await nap(pause * (0.5 + Math.random()), signal);
  }
}

/** Takes the lock, or returns the token of who holds it. */
async function take(path: string, attempt: Attempt, depth: number): Promise<string | undefined> {
  const holder = await claim(path, attempt);
  if (holder === undefined || depth > BREAK_DEPTH) return holder;
  if (!(await attempt.staleness.isStale(path, holder))) return holder;
  if (!(await removeDead(path, holder, { attempt, depth }))) return holder;
  if (depth === 0) await sweep(dirname(path), { attempt, except: path });
  return claim(path, attempt);
}

async function claim(path: string, { token }: Attempt): Promise<string | undefined> {
  for (;;) {
    try {
      await symlink(token, path);
      return undefined;
    } catch (error) {
      if (errnoOf(error) !== 'EEXIST') throw error;
    }
    const holder = await readToken(path);
    // A network file system may repeat a request whose answer was lost, and then find our own link.
    if (holder === token) return undefined;
    if (holder !== undefined) return holder;
  }
}

/** Removes the link of a dead owner, once, however many processes try. True when the lock may be free now. */
async function removeDead(
  path: string,
  dead: string,
  { attempt, depth }: { readonly attempt: Attempt; readonly depth: number },
): Promise<boolean> {
  const guard = guardPath(path, dead);
  if ((await take(guard, attempt, depth + 1)) !== undefined) return false;
  try {
    if ((await readToken(path)) === dead) await rm(path, { force: true });
    return true;
  } finally {
    await rm(guard, { force: true });
  }
}

function guardPath(path: string, dead: string): string {
  const fingerprint = createHash('sha256').update(dead).digest('hex').slice(0, 16);
  return `${path.replace(/\.[0-9a-f]{16}$/, '')}.${fingerprint}`;
}

/** Removes the locks in a directory whose owners are known to have ended, and returns their names. */
export async function removeDeadLocks(directory: string): Promise<readonly string[]> {
  return sweep(directory, { attempt: { token: createToken(), staleness: createStaleness() } });
}

/** A process died here: removes what else the dead left in the directory. */
async function sweep(
  directory: string,
  { attempt, except }: { readonly attempt: Attempt; readonly except?: string },
): Promise<readonly string[]> {
  const removed: string[] = [];
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    const other = join(directory, entry.name);
    const token = other === except || !entry.isSymbolicLink() ? undefined : await readToken(other);
    if (token === undefined || tokenLiveness(token) !== 'gone') continue;
    if (await removeDead(other, token, { attempt, depth: 1 })) removed.push(entry.name);
  }
  return removed;
}

/** What a lock's link says; undefined when there is none. Throws ERR_OCI_STORE_INVALID when it is no link. */
async function readToken(path: string): Promise<string | undefined> {
  try {
    return await readlink(path);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    if (errnoOf(error) !== 'EINVAL') throw error;
    throw new ImageError('ERR_OCI_STORE_INVALID', `${path} is not a lock of this toolchain`, {
      path,
      hint: 'remove it if no other program uses the directory',
    });
  }
}

function heldLock(path: string, token: string, what: string): Lock {
  let failure: unknown;
  const beat = setInterval(() => {
    const now = new Date();
    lutimes(path, now, now).catch((error: unknown) => {
      failure ??= error;
    });
  }, HEARTBEAT_MS).unref();
  let held = true;
  return {
    async assertHeld() {
      if (held && failure === undefined && (await readToken(path)) === token) return;
      throw new ImageError('ERR_OCI_STORE_LOCKED', `another process took over ${what}`, {
        path,
        cause: failure,
        hint: 'this process was stopped for too long; run the command again',
      });
    },
    async [Symbol.asyncDispose]() {
      if (!held) return;
      held = false;
      clearInterval(beat);
      if ((await readToken(path)) === token) await rm(path, { force: true });
    },
  };
}

async function nap(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await sleep(milliseconds, undefined, signal === undefined ? {} : { signal });
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
}

function timedOut(path: string, holder: string, { what, timeoutMs }: LockOptions): ImageError {
  const pid = tokenPid(holder);
  const who = pid === undefined ? 'another program' : `process ${pid}`;
  const seconds = Math.round((timeoutMs ?? 0) / 1000);
  return new ImageError('ERR_OCI_STORE_LOCKED', `${what} was locked by ${who} for ${seconds} s`, {
    path,
    hint:
      pid === undefined ? `remove ${path} if nothing uses it` : `look what process ${pid} does, or end it`,
  });
}
