import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** What a machine has of the things that containers are made of. */
export interface Belongings {
  readonly mounts: readonly string[];
  readonly cgroups: readonly string[];
  readonly processes: readonly string[];
}

/** How long the containers of other tests, which run at the same time, may live. */
const patienceMs = 120_000;

/**
 * What a test has left: mounts and processes whose name contains `mark`, and cgroups that `before` does not have. A cgroup
 * does not tell whose it is; one that another test still uses is waited for, since only what is forgotten stays.
 */
export async function leftovers(mark: string, before: Belongings): Promise<Belongings> {
  const old = new Set(before.cgroups);
  const now = belongings(mark);
  let cgroups = now.cgroups.filter((path) => !old.has(path));
  for (const end = Date.now() + patienceMs; cgroups.length > 0 && Date.now() < end; await sleep(200)) {
    cgroups = cgroups.filter(isCgroup);
  }
  return { ...now, cgroups };
}

/** Mounts and processes whose name contains `mark`, and the cgroups of all containers. */
export function belongings(mark: string): Belongings {
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .filter((line) => line.includes(mark));
  const cgroups = globSync(['/sys/fs/cgroup/*/oci/*', '/sys/fs/cgroup/oci/*']).filter(isCgroup);
  const processes = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => `${pid} ${commandLine(pid)}`)
    .filter((line) => line.includes(mark) && !line.startsWith(`${process.pid} `));
  return { mounts, cgroups, processes };
}

function isCgroup(path: string): boolean {
  return existsSync(`${path}/cgroup.procs`);
}

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return ''; // the process has ended meanwhile
  }
}
