import type { Linux, RuntimeSpec } from '@ocijs/bundle/spec';
import { everyCapability } from '../capabilities.ts';
import { compilePlan } from '../compile.ts';
import { type DecodedStep, decodePlan } from '../decode.ts';
import type { HostFacts, PlanInput } from '../input.ts';

const host: HostFacts = {
  uid: 0,
  gid: 0,
  groupsDenied: false,
  capabilities: everyCapability,
  cgroups: [],
  kernelMounts: ['/sys', '/proc'],
  newuidmap: '/usr/bin/newuidmap',
  newgidmap: '/usr/bin/newgidmap',
  hasKcore: false,
  labels: { selinux: false, apparmor: false },
};

/** A minimal configuration with changes. */
export function planSpec(change: Omit<Partial<RuntimeSpec>, 'linux'> & { linux?: Linux } = {}): RuntimeSpec {
  return {
    ociVersion: '1.2.0',
    root: { path: 'rootfs' },
    process: { user: { uid: 0, gid: 0 }, cwd: '/', args: ['true'], env: ['PATH=/bin'] },
    linux: { namespaces: [{ type: 'pid' }, { type: 'mount' }] },
    ...change,
  };
}

/** The input of a plan, with changes. */
export function planInput(
  spec: RuntimeSpec,
  change: Omit<Partial<PlanInput>, 'host'> & { host?: Partial<HostFacts> } = {},
): PlanInput {
  return {
    spec,
    bundle: '/bundle',
    rootfs: '/bundle/rootfs',
    id: 'test',
    stateDirectory: '/run/oci/test',
    cgroups: [],
    pipes: 0,
    preserveFds: 0,
    noPivot: false,
    noNewKeyring: false,
    lifetime: 'attached',
    hostSession: false,
    hostHooks: false,
    hostCgroup: false,
    ...change,
    host: { ...host, ...change.host },
  };
}

/** Compiles, and reads the bytes back. */
export function stepsFor(
  spec: RuntimeSpec,
  change: Parameters<typeof planInput>[1] = {},
): readonly DecodedStep[] {
  return decodePlan(compilePlan(planInput(spec, change)).bytes).steps;
}

/** The fields of all steps of a kind. */
export function fieldsOf(
  steps: readonly DecodedStep[],
  tag: string,
): readonly Readonly<Record<string, unknown>>[] {
  return steps.filter((step) => step.tag === tag).map(({ fields }) => fields);
}
