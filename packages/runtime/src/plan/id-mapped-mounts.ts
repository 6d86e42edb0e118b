import type { Mount } from '@ocijs/bundle/spec';
import { conflict, type PlanContext } from './context.ts';
import { idMapText } from './id-maps.ts';
import type { MountOptions } from './mount-options.ts';
import { type Step, type StepMaker, stepsOf } from './step.ts';

/**
 * Steps that shift the owners of a bind mount (mount_setattr(2), MOUNT_ATTR_IDMAP). The monitor makes a user namespace
 * with the maps; without maps of their own, `idmap` and `ridmap` take those of the container.
 */
export function planIdMappedMount(
  context: PlanContext,
  mount: Mount,
  target: {
    readonly slot: number;
    readonly step: StepMaker;
    readonly jsonPath: string;
    readonly options: MountOptions;
  },
): Step[] {
  const { slot, step, jsonPath, options } = target;
  const isMapped = (mount.uidMappings ?? []).length > 0 || (mount.gidMappings ?? []).length > 0;
  if (!isMapped && options.idMap === false) return [];
  const { linux } = context.input.spec;
  const uids = isMapped ? (mount.uidMappings ?? []) : (linux?.uidMappings ?? []);
  const gids = isMapped ? (mount.gidMappings ?? []) : (linux?.gidMappings ?? []);
  if (uids.length === 0 || gids.length === 0) {
    throw conflict(jsonPath, 'needs uidMappings and gidMappings to be id-mapped');
  }
  const idSlot = context.slot();
  const purpose = `shift the owners of ${JSON.stringify(mount.source)}`;
  const namespace = stepsOf('host')('userNamespace', {
    purpose,
    jsonPath: `${jsonPath}.uidMappings`,
    fields: { slot: idSlot, uidMap: idMapText(uids), gidMap: idMapText(gids) },
  });
  const recursive = options.idMap === 'recursive' ? 1 : 0;
  return [namespace, step('mountAttributes', { purpose, jsonPath, fields: { slot, idSlot, recursive } })];
}
