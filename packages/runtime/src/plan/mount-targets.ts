import { posix } from 'node:path';
import { conflict } from './context.ts';
import { targetFlags } from './format.ts';

/** What runtimes let a container lay over single files of procfs (lxcfs and the like). */
const procFiles: ReadonlySet<string> = new Set([
  '/proc/cpuinfo',
  '/proc/diskstats',
  '/proc/loadavg',
  '/proc/meminfo',
  '/proc/net/dev',
  '/proc/slabinfo',
  '/proc/stat',
  '/proc/swaps',
  '/proc/sys/crypto/fips_enabled',
  '/proc/sys/kernel/ns_last_pid',
  '/proc/uptime',
]);

/** A path of the container in its shortest form, from the root. */
export function containerPath(path: string): string {
  const normal = posix.normalize(`/${path}`);
  return normal.length > 1 && normal.endsWith('/') ? normal.slice(0, -1) : normal;
}

/** What decides how a target may be looked up. */
export interface TargetQuestion {
  readonly path: string;
  readonly jsonPath: string;
  /** The file system's type, `bind` for one that exists. */
  readonly type: string;
}

/**
 * How a mount's target is found (flags of the attach step). A procfs or sysfs goes to a real directory only: a link there
 * would leave the container's /proc somewhere where nothing is masked (CVE-2019-19921, CVE-2023-27561). Below /proc
 * nothing but a few files can be covered (CVE-2019-16884). Throws ERR_OCI_SPEC_CONFLICT.
 */
export function mountTargetFlags({ path, jsonPath, type }: TargetQuestion): number {
  const { likeSource, strict, proc, sourceProc } = targetFlags;
  if (path === '/') throw conflict(`${jsonPath}.destination`, 'must not be the root itself');
  if (type === 'proc') return likeSource | strict | proc;
  if (type === 'sysfs') return likeSource | strict;
  if (path === '/proc') {
    if (type === 'bind') return likeSource | strict | proc | sourceProc;
    throw conflict(`${jsonPath}.destination`, `is /proc, where only a procfs can be mounted, not ${type}`);
  }
  if (!path.startsWith('/proc/')) return likeSource;
  if (procFiles.has(path)) return likeSource | strict | proc;
  throw conflict(
    `${jsonPath}.destination`,
    `is inside /proc, where nothing can be mounted: ${JSON.stringify(path)}`,
  );
}
