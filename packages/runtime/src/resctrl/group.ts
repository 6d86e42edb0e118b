import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import type { IntelRdt } from '@ocijs/bundle/spec';
import { RuntimeError } from '../errors.ts';
import { conflict } from '../plan/context.ts';
import { findResctrl } from './mount.ts';
import { hasSchemata, schemataLines } from './schemata.ts';

/** What a container's class of service will be. */
export interface ResctrlPlan {
  /** The group's directory. */
  readonly group: string;
  /** Directories to make, in this order; removed with the container. */
  readonly created: readonly string[];
  /** The `tasks` files that the container's process is written to. */
  readonly tasks: readonly string[];
  readonly lines: readonly string[];
}

const jsonPath = '$.linux.intelRdt';

function checkName(name: string): void {
  const isOther = name.includes('/') || ['', '.', '..', 'info', 'mon_groups', 'mon_data'].includes(name);
  if (isOther) throw conflict(`${jsonPath}.closID`, `is no name of a group: ${JSON.stringify(name)}`);
}

function missing(): RuntimeError {
  return new RuntimeError(
    'ERR_OCI_SPEC_UNSUPPORTED',
    `config.json: ${jsonPath} needs resctrl, which is not mounted`,
    {
      jsonPath,
      hint: 'Mount it (mount -t resctrl resctrl /sys/fs/resctrl) on a processor that can allocate caches, or remove the setting.',
    },
  );
}

/**
 * Decides, without any effect, which group of resctrl a container joins (runtime-spec `config-linux.md`, "IntelRdt").
 * Throws ERR_OCI_SPEC_UNSUPPORTED without resctrl, ERR_OCI_SPEC_CONFLICT for a group that does not exist or is set otherwise.
 */
export function planResctrl(
  id: string,
  intelRdt: IntelRdt | undefined,
  mountPoint: string | undefined = intelRdt && findResctrl(),
): ResctrlPlan | undefined {
  if (intelRdt === undefined) return undefined;
  if (mountPoint === undefined) throw missing();
  const { closID, enableMonitoring } = intelRdt;
  const lines = schemataLines(intelRdt);
  const isRoot = closID === '/';
  if (!isRoot) checkName(closID ?? id);
  const group = isRoot ? mountPoint : `${mountPoint}/${closID ?? id}`;
  const exists = existsSync(group);
  if (closID !== undefined && lines.length === 0 && !exists) {
    throw conflict(`${jsonPath}.closID`, `names a group that does not exist: ${JSON.stringify(closID)}`);
  }
  if (exists && lines.length > 0 && !hasSchemata(readFileSync(`${group}/schemata`, 'utf8'), lines)) {
    throw conflict(jsonPath, `differs from what the group ${JSON.stringify(closID ?? id)} is set to`);
  }
  const monitor = enableMonitoring === true ? [`${group}/mon_groups/${id}`] : [];
  return {
    group,
    created: [...(exists ? [] : [group]), ...monitor],
    tasks: [group, ...monitor].map((directory) => `${directory}/tasks`),
    lines: exists ? [] : lines,
  };
}

/** Makes a planned group and sets it. Leaves nothing behind when it fails with ERR_OCI_CGROUP_DENIED. */
export function createResctrl(plan: ResctrlPlan): void {
  let path = plan.group;
  try {
    for (const directory of plan.created) {
      path = directory;
      mkdirSync(directory);
    }
    path = `${plan.group}/schemata`;
    for (const line of plan.lines) writeFileSync(path, `${line}\n`);
  } catch (error) {
    removeResctrl(plan.created);
    const errno = (error as NodeJS.ErrnoException).code ?? 'unknown';
    throw new RuntimeError('ERR_OCI_CGROUP_DENIED', `cannot set ${path}: ${errno}`, {
      path,
      errno,
      jsonPath,
      cause: error,
    });
  }
}

/** Removes what was made for a container; what is gone already is no failure. */
export function removeResctrl(created: readonly string[]): void {
  for (const directory of created.toReversed()) {
    try {
      rmdirSync(directory);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
}
