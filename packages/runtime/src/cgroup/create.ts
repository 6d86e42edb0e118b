import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { Resources } from '@ocijs/bundle/spec';
import { RuntimeError } from '../errors.ts';
import { applyWrites } from './apply.ts';
import { destroyCgroup } from './destroy.ts';
import { findHierarchies, type Hierarchy, isUnified } from './hierarchies.ts';
import { pidsBelow } from './members.ts';
import { cgroupPath } from './path.ts';
import { type DevicePlan, planDevices } from './plan-devices.ts';
import type { CgroupDirectory, CgroupRecord } from './record.ts';
import { inUserNamespace } from './user-namespace.ts';
import { resourceWritesV1, resourceWritesV2 } from './writes.ts';

/** What a container's cgroup is made from. */
export interface CreateCgroupOptions {
  readonly id: string;
  readonly cgroupsPath?: string | undefined;
  readonly resources?: Resources | undefined;
  /** True when the container has an own user namespace or the caller is not root: groups are then optional. */
  readonly optional: boolean;
}

/** What is to be written in each hierarchy, and which hierarchies there are. */
export interface CgroupPlan extends DevicePlan {
  readonly path: string;
  readonly hierarchies: readonly Hierarchy[];
  /** What there will be; known before the first directory is made, so that a killed creation can be undone. */
  readonly record: CgroupRecord;
}

function plannedRecord(path: string, hierarchies: readonly Hierarchy[]): CgroupRecord {
  const directories = hierarchies.map(({ mountPoint, version, controllers }) => ({
    path: mountPoint + path,
    version,
    controllers,
    created: !existsSync(mountPoint + path),
  }));
  return { path, directories };
}

function isDenied(error: unknown): boolean {
  return ['EACCES', 'EPERM', 'EROFS'].includes((error as NodeJS.ErrnoException).code ?? '');
}

/**
 * Decides what a container's cgroup will be, without any effect. Throws ERR_OCI_CGROUP_INVALID for values that
 * make no sense, ERR_OCI_CGROUP_MISSING when the host has no controller for a limit.
 */
export function planCgroup(options: CreateCgroupOptions): CgroupPlan {
  const path = cgroupPath(options);
  const hierarchies = findHierarchies();
  const resources = options.resources ?? {};
  const unified = isUnified(hierarchies);
  const limits = unified ? resourceWritesV2(resources) : resourceWritesV1(resources);
  for (const { controller, file } of limits) {
    const known = unified || hierarchies.some(({ controllers }) => controllers.includes(controller));
    if (known) continue;
    throw new RuntimeError(
      'ERR_OCI_CGROUP_MISSING',
      `${file} cannot be set: no ${controller} controller is mounted`,
      {
        actual: controller,
        hint: 'Remove the limit, or mount the controller below /sys/fs/cgroup.',
      },
    );
  }
  // In an own user namespace the kernel makes no device nodes, and a process in one may not restrict any.
  const enforced = !options.optional && !inUserNamespace();
  const { writes, ...devices } = planDevices(resources.devices ?? [], { hierarchies, enforced });
  const record = plannedRecord(path, hierarchies);
  return { path, hierarchies, record, writes: [...writes, ...limits], ...devices };
}

/** A cpuset group takes no process before it has processors and memory nodes: the parent's, to start with. */
function inheritCpuset(parent: string, group: string): void {
  for (const file of ['cpuset.cpus', 'cpuset.mems']) {
    if (readFileSync(`${group}/${file}`, 'utf8').trim() !== '') continue;
    writeFileSync(`${group}/${file}`, readFileSync(`${parent}/${file}`, 'utf8').trim(), { flag: 'r+' });
  }
}

/** Lets the groups below a v2 group use controllers; those that are needed for a limit must be there. */
function delegateControllers(group: string, needed: ReadonlySet<string>): void {
  const read = (file: string): string[] =>
    readFileSync(`${group}/${file}`, 'utf8').split(/\s+/).filter(Boolean);
  // What whoever delegated a group to us has done need not be done again, and above that group cannot be.
  const enabled = new Set(read('cgroup.subtree_control'));
  for (const controller of new Set([...read('cgroup.controllers'), ...needed])) {
    if (enabled.has(controller)) continue;
    try {
      writeFileSync(`${group}/cgroup.subtree_control`, `+${controller}`, { flag: 'r+' });
    } catch (error) {
      if (!needed.has(controller)) continue;
      throw new RuntimeError(
        'ERR_OCI_CGROUP_DENIED',
        `controller ${controller} cannot be used below ${group}`,
        {
          path: group,
          actual: controller,
          errno: (error as NodeJS.ErrnoException).code ?? 'unknown',
          cause: error,
          hint: 'The group may hold processes of its own, or the controller is not delegated to you.',
        },
      );
    }
  }
}

/**
 * Makes the group and those above it; true when the group itself was not there before. Controllers are delegated where
 * some are given as needed: beside v1 hierarchies, v2 holds no limits, and what it uses nobody could mount as v1.
 */
function makeGroups(hierarchy: Hierarchy, path: string, needed: ReadonlySet<string> | undefined): boolean {
  const created = !existsSync(hierarchy.mountPoint + path);
  // Made as a whole first: a group with a group below it cannot be removed by anyone else meanwhile.
  mkdirSync(hierarchy.mountPoint + path, { recursive: true, mode: 0o755 });
  let group = hierarchy.mountPoint;
  for (const name of path.split('/').filter(Boolean)) {
    const parent = group;
    group = `${parent}/${name}`;
    if (needed !== undefined) delegateControllers(parent, needed);
    if (hierarchy.controllers.includes('cpuset')) inheritCpuset(parent, group);
  }
  return created;
}

function refuseMembers(path: string): void {
  const pids = pidsBelow(path);
  if (pids.length === 0) return;
  throw new RuntimeError(
    'ERR_OCI_CGROUP_BUSY',
    `container's cgroup is not empty: ${pids.length} process(es) found in ${path}`,
    {
      path,
      actual: pids.length,
    },
  );
}

const freezerFiles = { v1: ['freezer.state', 'THAWED'], v2: ['cgroup.freeze', '0'] } as const;

/** The first process would stop as soon as it joins, and whoever waits for it would wait for ever. */
function refuseFrozen({ version }: Hierarchy, path: string): void {
  const [file, running] = freezerFiles[version];
  if (!existsSync(`${path}/${file}`)) return;
  const state = readFileSync(`${path}/${file}`, 'utf8').trim();
  if (state === running) return;
  throw new RuntimeError('ERR_OCI_CGROUP_BUSY', `container's cgroup unexpectedly frozen: ${path}`, {
    path,
    actual: state,
    hint: 'Thaw or remove the group, or name another one in linux.cgroupsPath.',
  });
}

/** Beside v1 hierarchies, v2 holds no limits. */
function isNeeded(hierarchy: Hierarchy, plan: CgroupPlan): boolean {
  const unified = isUnified(plan.hierarchies);
  return plan.writes.some(({ controller }) => unified || hierarchy.controllers.includes(controller));
}

/**
 * Makes a container's cgroup in every hierarchy and sets its limits, before any process is in it. Hierarchies that
 * the caller may not write are passed over when groups are optional and no limit needs them; otherwise
 * ERR_OCI_CGROUP_DENIED. Throws ERR_OCI_CGROUP_BUSY when the group has processes already. Leaves nothing
 * behind when it fails.
 */
export async function createCgroup(plan: CgroupPlan, options: CreateCgroupOptions): Promise<CgroupRecord> {
  const unified = isUnified(plan.hierarchies);
  const needed = new Set(unified ? plan.writes.map(({ controller }) => controller) : []);
  needed.delete('cgroup');
  const directories: CgroupDirectory[] = [];
  try {
    for (const hierarchy of plan.hierarchies) {
      const path = hierarchy.mountPoint + plan.path;
      try {
        if (existsSync(path)) {
          refuseMembers(path);
          refuseFrozen(hierarchy, path);
        }
        const created = makeGroups(hierarchy, plan.path, unified ? needed : undefined);
        const directory = { path, version: hierarchy.version, controllers: hierarchy.controllers, created };
        directories.push(directory);
        if (hierarchy.version === 'v1' || unified) applyWrites(directory, plan.writes);
      } catch (error) {
        if (isDenied(error) && options.optional && !isNeeded(hierarchy, plan)) continue;
        if (!isDenied(error)) throw error;
        throw new RuntimeError('ERR_OCI_CGROUP_DENIED', `cannot make cgroup ${path}`, {
          path,
          errno: (error as NodeJS.ErrnoException).code ?? 'unknown',
          cause: error,
          hint: 'Limits need a cgroup that is delegated to you; name one in linux.cgroupsPath, or give no limits.',
        });
      }
    }
  } catch (error) {
    await destroyCgroup({ path: plan.path, directories });
    throw error;
  }
  return { path: plan.path, directories };
}
