import { existsSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { type CgroupDirectory, type CgroupRecord, joinOrder } from '../cgroup/record.ts';
import { RuntimeError } from '../errors.ts';
import type { CgroupEntry } from '../plan/input.ts';

function usage(message: string): RuntimeError {
  return new RuntimeError('ERR_OCI_COMMAND_INVALID', message);
}

/**
 * Reads arguments of `--cgroup`: one `PATH`, or `CONTROLLER[,CONTROLLER…]:PATH` for each hierarchy of cgroup v1, as
 * paths by controller (the empty one for a path alone). Throws ERR_OCI_COMMAND_INVALID.
 */
export function parseSubgroups(given: readonly string[]): ReadonlyMap<string, string> {
  const paths = new Map<string, string>();
  for (const argument of given) {
    const colon = argument.indexOf(':');
    if (colon === -1) {
      if (given.length > 1)
        throw usage(`invalid --cgroup argument: ${argument} (missing <controller>: prefix)`);
      paths.set('', argument);
      continue;
    }
    for (const controller of argument.slice(0, colon).split(',')) {
      if (controller === '') {
        throw usage(`invalid --cgroup argument: ${argument} (empty <controller> prefix)`);
      }
      if (paths.has(controller)) {
        throw usage(`invalid --cgroup argument(s): controller ${controller} specified multiple times`);
      }
      paths.set(controller, argument.slice(colon + 1));
    }
  }
  return paths;
}

/** A path below a group; one that would leave it is refused. */
function below(group: string, path: string): string {
  const joined = posix.join(group, path);
  if (joined === group || joined.startsWith(`${group}/`)) return joined.replace(/\/$/, '');
  throw usage(`bad sub cgroup path: ${path}`);
}

function missingGroup(path: string): RuntimeError {
  const message = `adding pid to the cgroup ${path}: no such file or directory`;
  return new RuntimeError('ERR_OCI_CGROUP_MISSING', message, {
    path,
    hint: 'Make the group first, below that of the container.',
  });
}

/** The v2 group that the container's first process is in, which may be one below the container's own. */
function ownGroup({ path }: CgroupDirectory, record: CgroupRecord, pid: number): string | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/cgroup`, 'utf8');
  } catch (error) {
    // It ended just now; joining it will say so.
    if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
  const own = /^0::(.*)$/m.exec(text)?.[1];
  const mountPoint = path.slice(0, path.length - record.path.length);
  return own?.startsWith(`${record.path}/`) ? mountPoint + own : undefined;
}

/**
 * The groups that a further process of a container joins: the container's own, or those below that are named. Throws
 * ERR_OCI_COMMAND_INVALID for a name that leaves the container's group or has no hierarchy, ERR_OCI_CGROUP_MISSING for a
 * group that is not there.
 */
export function execCgroups(
  record: CgroupRecord | undefined,
  options: { readonly pid: number; readonly subgroups: readonly string[] },
): CgroupEntry[] {
  const named = parseSubgroups(options.subgroups);
  const directories = record?.directories ?? [];
  const known = new Set(directories.flatMap(({ controllers }) => controllers));
  for (const controller of named.keys()) {
    if (controller !== '' && !known.has(controller)) {
      throw usage(`unknown controller ${controller} in SubCgroupPaths`);
    }
  }
  return (record === undefined ? [] : joinOrder(record)).map((directory): CgroupEntry => {
    const { version } = directory;
    const controller = directory.controllers.find((name) => named.has(name));
    // A path alone is for every hierarchy; beside v1 nobody makes groups in the one of v2.
    const isBeside = directory.version === 'v2' && directories.length > 1;
    const sub = controller === undefined ? named.get('') : named.get(controller);
    if (sub !== undefined) {
      const group = below(directory.path, sub);
      if (existsSync(`${group}/cgroup.procs`)) return { procs: `${group}/cgroup.procs`, version };
      if (!isBeside) throw missingGroup(group);
    }
    const own =
      directory.version === 'v2' && record !== undefined
        ? ownGroup(directory, record, options.pid)
        : undefined;
    return {
      procs: `${directory.path}/cgroup.procs`,
      version,
      ...(own !== undefined && { otherwise: `${own}/cgroup.procs` }),
    };
  });
}
