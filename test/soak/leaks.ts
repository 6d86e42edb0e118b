import { existsSync, readdirSync, readFileSync } from 'node:fs';

/** What a run may leave behind, counted. */
export interface Remains {
  readonly processes: number;
  readonly mounts: number;
  readonly cgroups: number;
  readonly state: number;
  readonly descriptors: number;
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // A process that has just ended, or a file of somebody else.
    return '';
  }
}

/** Processes of containers, which carry the mark in their command line, and monitors and inits on their way. */
function processes(mark: string): number {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      const command = read(`/proc/${pid}/cmdline`);
      return command.includes(mark) || command.startsWith('oci-init\0');
    }).length;
}

function cgroups(prefix: string): number {
  const points = read('/proc/self/mountinfo')
    .split('\n')
    .filter((line) => / - cgroup2? /.test(line))
    .map((line) => `${line.split(' ')[4]}/oci`)
    .filter((path) => existsSync(path));
  return points.flatMap((path) => readdirSync(path).filter((name) => name.startsWith(prefix))).length;
}

/** Counts what is there of containers whose ids start with `prefix`, and whose commands carry `mark`. */
export function countRemains(options: {
  readonly prefix: string;
  readonly mark: string;
  readonly directory: string;
  readonly root: string;
}): Remains {
  return {
    processes: processes(options.mark),
    mounts: read('/proc/self/mountinfo')
      .split('\n')
      .filter((line) => line.includes(options.directory)).length,
    cgroups: cgroups(options.prefix),
    state: existsSync(options.root) ? readdirSync(options.root).length : 0,
    descriptors: readdirSync('/proc/self/fd').length,
  };
}
