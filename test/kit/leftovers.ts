import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs';

/** What a machine has of the things that containers are made of. */
export interface Belongings {
  readonly mounts: readonly string[];
  readonly cgroups: readonly string[];
  readonly processes: readonly string[];
}

/** Mounts, cgroups and processes whose name contains `mark`; compare before and after a test. */
export function belongings(mark: string): Belongings {
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .filter((line) => line.includes(mark));
  const cgroups = globSync(['/sys/fs/cgroup/*/oci/*', '/sys/fs/cgroup/oci/*']).filter((path) =>
    isDirectory(path),
  );
  const processes = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => `${pid} ${commandLine(pid)}`)
    .filter((line) => line.includes(mark) && !line.startsWith(`${process.pid} `));
  return { mounts, cgroups, processes };
}

function isDirectory(path: string): boolean {
  return existsSync(`${path}/cgroup.procs`);
}

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return ''; // the process has ended meanwhile
  }
}
