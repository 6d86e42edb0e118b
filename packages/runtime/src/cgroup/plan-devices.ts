import type { DeviceRule } from '@ocijs/bundle/spec';
import { deviceProgram } from './device-program.ts';
import { deviceWrites } from './devices.ts';
import type { Hierarchy } from './hierarchies.ts';
import type { CgroupWrite } from './writes.ts';

/** How the rules about a container's devices are enforced. */
export interface DevicePlan {
  readonly writes: readonly CgroupWrite[];
  /** What is to be attached to the v2 group, where no v1 hierarchy restricts devices. */
  readonly deviceProgram?: Uint8Array;
  /** True when the container's devices are left unrestricted for want of a hierarchy that could. */
  readonly devicesUnrestricted: boolean;
}

/**
 * Has the rules enforced by a v1 devices hierarchy, else by a program of the v2 group; not at all unless `enforced`.
 * Throws what `deviceWrites` and `deviceProgram` throw.
 */
export function planDevices(
  rules: readonly DeviceRule[],
  options: { readonly hierarchies: readonly Hierarchy[]; readonly enforced: boolean },
): DevicePlan {
  const { hierarchies, enforced } = options;
  if (!enforced) return { writes: [], devicesUnrestricted: false };
  if (hierarchies.some(({ controllers }) => controllers.includes('devices'))) {
    return { writes: deviceWrites(rules), devicesUnrestricted: false };
  }
  if (hierarchies.some(({ version }) => version === 'v2')) {
    return { writes: [], deviceProgram: deviceProgram(rules), devicesUnrestricted: false };
  }
  return { writes: [], devicesUnrestricted: true };
}
