import { capabilityNames } from '../plan/capabilities.ts';
import { mountOptionNames } from '../plan/mount-options.ts';
import { namespaceFlags } from '../plan/namespaces.ts';
import { memoryPolicyNames } from '../plan/scheduling.ts';
import { actionNames } from '../seccomp/actions.ts';
import { architectures } from '../seccomp/architectures.ts';
import { operatorNames } from '../seccomp/conditions.ts';
import { flagNames } from '../seccomp/flags.ts';

const hooks = [
  'prestart',
  'createRuntime',
  'createContainer',
  'startContainer',
  'poststart',
  'poststop',
] as const;

/** What this runtime supports, in the form of the runtime-spec's `features.md`; whether the host does too is not asked. */
export function features(version: string): object {
  return {
    ociVersionMin: '1.0.0',
    ociVersionMax: '1.3.0',
    hooks,
    mountOptions: mountOptionNames(),
    linux: {
      namespaces: Object.keys(namespaceFlags).sort(),
      capabilities: capabilityNames(),
      cgroup: { v1: true, v2: true, systemd: true, systemdUser: true, rdma: true },
      seccomp: {
        enabled: true,
        actions: actionNames,
        operators: operatorNames,
        archs: architectures.map(({ name }) => name).sort(),
        knownFlags: flagNames,
        supportedFlags: flagNames,
      },
      apparmor: { enabled: true },
      selinux: { enabled: true },
      intelRdt: { enabled: true, schemata: true, monitoring: true },
      memoryPolicy: memoryPolicyNames,
      mountExtensions: { idmap: { enabled: true } },
      netDevices: { enabled: true },
    },
    annotations: {
      'org.ocijs.runtime.version': version,
      // What programs look for before they ask for a checkpoint, whatever the runtime is called.
      'org.opencontainers.runc.checkpoint.enabled': 'true',
    },
    potentiallyUnsafeConfigAnnotations: ['org.criu.config', 'org.systemd.property.'],
  };
}
