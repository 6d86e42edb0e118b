import type { RuntimeSpec } from '@ocijs/bundle/spec';
import { type CgroupRecord, createCgroup, planCgroup } from '../cgroup/index.ts';
import { inUserNamespace } from '../cgroup/user-namespace.ts';
import { RuntimeError } from '../errors.ts';

/** Who makes a container's cgroup: this program, systemd, or nobody. */
export type CgroupManager = 'cgroupfs' | 'systemd' | 'disabled';

/** A container's cgroup that is decided on. */
export interface ContainerGroup {
  readonly deviceProgram?: Uint8Array | undefined;
  readonly devicesUnrestricted: boolean;
  /** What it will be; undefined for none. */
  readonly record: CgroupRecord | undefined;
  /** Makes it, and tells what became of it. */
  readonly make?: () => Promise<CgroupRecord>;
  /** Puts the container's process into it, where that is not done by writing its id. */
  readonly enter?: (pid: number) => Promise<void>;
}

const none: ContainerGroup = { devicesUnrestricted: true, record: undefined };

function refuseLimits(resources: object): void {
  const limits = Object.entries(resources).filter(
    ([name, value]) => name !== 'devices' && value !== undefined,
  );
  const isEmpty = (value: object): boolean => Object.keys(value).length === 0;
  const [first] = limits.filter(([, value]) => !isEmpty(value as object));
  if (first === undefined) return;
  throw new RuntimeError(
    'ERR_OCI_SPEC_CONFLICT',
    `config.json: $.linux.resources.${first[0]} needs a cgroup, and none shall be made`,
    {
      jsonPath: `$.linux.resources.${first[0]}`,
      hint: 'Remove the limit, or choose another cgroup manager than "disabled".',
    },
  );
}

/** Decides on a container's cgroup without any effect. Throws what `planCgroup` and `planScope` throw. */
export async function planGroup(
  id: string,
  spec: RuntimeSpec,
  options: { readonly manager: CgroupManager; readonly signal?: AbortSignal | undefined },
): Promise<ContainerGroup> {
  const { cgroupsPath, resources, namespaces } = spec.linux ?? {};
  const hasUserNamespace = namespaces?.some(({ type }) => type === 'user') ?? false;
  if (options.manager === 'disabled') {
    refuseLimits(resources ?? {});
    return none;
  }
  if (options.manager === 'systemd') {
    const { enterScope, planScope } = await import('../systemd/scope.ts');
    const scope = {
      id,
      cgroupsPath,
      resources,
      annotations: spec.annotations,
      hasUserNamespace,
      signal: options.signal,
    };
    const plan = await planScope(scope);
    return {
      deviceProgram: plan.deviceProgram,
      devicesUnrestricted: plan.devicesUnrestricted,
      record: plan.record,
      enter: (pid) => enterScope(plan, { ...scope, pid }),
    };
  }
  const optional = process.geteuid?.() !== 0 || hasUserNamespace || inUserNamespace();
  const plan = planCgroup({ id, cgroupsPath, resources, optional });
  return {
    deviceProgram: plan.deviceProgram,
    devicesUnrestricted: plan.devicesUnrestricted,
    record: plan.record,
    make: () => createCgroup(plan, { id, cgroupsPath, resources, optional }),
  };
}
