import { createHash, randomBytes } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/**
 * Whether the process behind a lock still runs. `unknown` is an owner that cannot be looked at from here: one in
 * another pid namespace, of another boot or another host.
 */
export type Liveness = 'alive' | 'gone' | 'unknown';

/** Where a pid means the same process: one boot of one kernel, one pid namespace, one clock offset. */
function currentDomain(): string {
  const hash = createHash('sha256');
  try {
    hash.update(readFileSync('/proc/sys/kernel/random/boot_id'));
    hash.update(readlinkSync('/proc/self/ns/pid'));
    hash.update(readlinkSync('/proc/self/ns/time'));
  } catch (error) {
    // Not Linux, no /proc, or a kernel older than time namespaces: pids are compared within the host name.
    hash.update(`${(error as NodeJS.ErrnoException).code} ${hostname()}`);
  }
  return hash.digest('hex').slice(0, 16);
}

/**
 * When a process started, in clock ticks since boot; undefined when it cannot be seen. A zombie counts as ended: it
 * has already given up its files.
 */
function startTime(pid: number): string | 'ended' | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return undefined; // the caller asks kill(2) next, which tells "gone" from "hidden"
  }
  // The second field is the command in brackets and may hold anything; the third is the state, the 22nd the time.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' || fields[0] === 'X' ? 'ended' : fields[19];
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

let domain: string | undefined;
let ownStart: string | undefined;

/** The text that marks a lock as held by this process, different at every call. */
export function createToken(): string {
  domain ??= currentDomain();
  ownStart ??= startTime(process.pid) ?? '0';
  return `ocijs:${domain}:${process.pid}:${ownStart}:${randomBytes(8).toString('hex')}`;
}

/** The process id in a token, for messages; undefined when the text is none of ours. */
export function tokenPid(token: string): number | undefined {
  const match = /^ocijs:[0-9a-f]{16}:([1-9][0-9]{0,9}):[0-9]+:[0-9a-f]{16}$/.exec(token);
  return match?.[1] === undefined ? undefined : Number(match[1]);
}

/** Looks whether the process that made a token still runs. */
export function tokenLiveness(token: string): Liveness {
  const pid = tokenPid(token);
  const [, tokenDomain, , start] = token.split(':');
  domain ??= currentDomain();
  if (pid === undefined || tokenDomain !== domain) return 'unknown';
  const found = startTime(pid);
  if (found === undefined) return exists(pid) ? 'unknown' : 'gone';
  return found === start ? 'alive' : 'gone';
}
