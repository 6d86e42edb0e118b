import type { Resources } from '@ocijs/bundle/spec';
import { applyWrites } from '../cgroup/apply.ts';
import { findHierarchies, isUnified } from '../cgroup/hierarchies.ts';
import { type DevicePlan, planDevices } from '../cgroup/plan-devices.ts';
import type { CgroupRecord, SystemdUnit } from '../cgroup/record.ts';
import { inUserNamespace } from '../cgroup/user-namespace.ts';
import { type CgroupWrite, resourceWritesV2 } from '../cgroup/writes.ts';
import { RuntimeError } from '../errors.ts';
import { annotatedProperties } from './annotations.ts';
import { connectManager } from './manager.ts';
import { limitProperties, type Property, scopeProperties } from './properties.ts';
import { unitPlace } from './unit.ts';

/** What a container's scope is made from. */
export interface ScopeOptions {
  readonly id: string;
  readonly cgroupsPath?: string | undefined;
  readonly resources?: Resources | undefined;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
  /** True when devices need not be restricted: the container has an own user namespace. */
  readonly hasUserNamespace: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** A scope that is decided on and not there yet. */
export interface ScopePlan extends DevicePlan {
  readonly slice: string;
  readonly record: CgroupRecord & { readonly systemd: SystemdUnit };
  readonly writes: readonly CgroupWrite[];
  readonly properties: readonly Property[];
}

function mountPoint(): string {
  const hierarchies = findHierarchies();
  const [first] = hierarchies;
  if (first !== undefined && isUnified(hierarchies)) return first.mountPoint;
  throw new RuntimeError('ERR_OCI_SYSTEMD_UNAVAILABLE', 'cgroups managed by systemd need cgroup v2 alone', {
    hint: 'This host has cgroup v1 hierarchies; leave out --systemd-cgroup.',
  });
}

/**
 * Decides where systemd puts a container and with which properties, without any effect. An ordinary user's are managed by
 * the systemd of that user. Throws ERR_OCI_CGROUP_INVALID, ERR_OCI_SYSTEMD_UNAVAILABLE, ERR_OCI_SPEC_CONFLICT.
 */
export async function planScope(options: ScopeOptions): Promise<ScopePlan> {
  const { id, resources = {}, annotations, hasUserNamespace, signal } = options;
  const isUser = process.geteuid?.() !== 0;
  const { slice, unit, path } = unitPlace({ id, cgroupsPath: options.cgroupsPath, isUser });
  const root = mountPoint();
  const limits = resourceWritesV2(resources);
  const properties = [...limitProperties(limits), ...annotatedProperties(annotations)];
  const enforced = !isUser && !hasUserNamespace && !inUserNamespace();
  const devices = planDevices(resources.devices ?? [], { hierarchies: findHierarchies(), enforced });
  using manager = await connectManager({ isUser, signal });
  const group = `${await manager.controlGroup()}${path}`;
  return {
    ...devices,
    slice,
    properties,
    writes: limits,
    record: {
      path: group,
      systemd: { unit, isUser },
      directories: [{ path: `${root}${group}`, version: 'v2', controllers: [], created: true }],
    },
  };
}

/**
 * Has systemd make the scope around a process, then sets what systemd has no property for. Throws ERR_OCI_CGROUP_BUSY
 * when there is such a scope already, ERR_OCI_CGROUP_DENIED, ERR_OCI_SYSTEMD_UNAVAILABLE.
 */
export async function enterScope(
  plan: ScopePlan,
  options: ScopeOptions & { readonly pid: number },
): Promise<void> {
  const { unit, isUser } = plan.record.systemd;
  const { id, pid, signal } = options;
  using manager = await connectManager({ isUser, signal });
  const base = scopeProperties({ id, slice: plan.slice, pid, isSlice: unit.endsWith('.slice') });
  await manager.start(unit, [...base, ...plan.properties]);
  for (const directory of plan.record.directories) applyWrites(directory, plan.writes);
}

/** Tells systemd of changed limits, which it would take back otherwise when it reloads. */
export async function updateScope({ unit, isUser }: SystemdUnit, resources: Resources): Promise<void> {
  using manager = await connectManager({ isUser });
  await manager.set(unit, limitProperties(resourceWritesV2(resources)));
}

/** Ends a scope whose processes are gone. */
export async function stopScope({ unit, isUser }: SystemdUnit): Promise<void> {
  using manager = await connectManager({ isUser });
  await manager.stop(unit);
}
