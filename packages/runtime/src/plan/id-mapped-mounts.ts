import type { Mount } from '@ocijs/bundle/spec';
import { conflict, type PlanContext } from './context.ts';
import { sections } from './format.ts';
import { idMapText } from './id-maps.ts';
import type { MountOptions } from './mount-options.ts';
import { namespaceFlags } from './namespaces.ts';
import { initStep, type Step, type StepMaker, stepsOf } from './step.ts';

interface IdMappedMount {
  readonly slot: number;
  readonly jsonPath: string;
  readonly options: MountOptions;
}

function isIdMapped(mount: Mount, { options }: IdMappedMount): boolean {
  const isMapped = (mount.uidMappings ?? []).length > 0 || (mount.gidMappings ?? []).length > 0;
  return isMapped || options.idMap !== false;
}

/** Opens a user namespace with the maps: a new one, or that which the container joins. */
function openNamespace(
  context: PlanContext,
  mount: Mount,
  target: { readonly slot: number; readonly jsonPath: string; readonly purpose: string },
): Step {
  const { slot, purpose, jsonPath } = target;
  const isMapped = (mount.uidMappings ?? []).length > 0 || (mount.gidMappings ?? []).length > 0;
  const { linux } = context.input.spec;
  const path = context.joined.get('user');
  const step = stepsOf('host');
  if (!isMapped && path !== undefined) {
    return step('openNamespace', { purpose, jsonPath, fields: { slot, path, number: namespaceFlags.user } });
  }
  const uids = isMapped ? (mount.uidMappings ?? []) : (linux?.uidMappings ?? []);
  const gids = isMapped ? (mount.gidMappings ?? []) : (linux?.gidMappings ?? []);
  if (uids.length === 0 || gids.length === 0) {
    throw conflict(jsonPath, 'needs uidMappings and gidMappings to be id-mapped');
  }
  return step('userNamespace', {
    purpose,
    jsonPath: `${jsonPath}.uidMappings`,
    fields: { slot, uidMap: idMapText(uids), gidMap: idMapText(gids) },
  });
}

/**
 * Steps that shift the owners of a bind mount (mount_setattr(2), MOUNT_ATTR_IDMAP). The monitor has a user namespace with
 * the maps; without maps of their own, `idmap` and `ridmap` take those of the container.
 */
export function planIdMappedMount(
  context: PlanContext,
  mount: Mount,
  target: IdMappedMount & { readonly step: StepMaker },
): Step[] {
  if (!isIdMapped(mount, target)) return [];
  const { slot, step, jsonPath, options } = target;
  const idSlot = context.slot();
  const purpose = `shift the owners of ${JSON.stringify(mount.source)}`;
  const recursive = options.idMap === 'recursive' ? 1 : 0;
  return [
    openNamespace(context, mount, { slot: idSlot, jsonPath, purpose }),
    step('mountAttributes', { purpose, jsonPath, fields: { slot, idSlot, recursive } }),
  ];
}

/** The same for a mount that the init has made in the container: only the monitor may shift owners on the host's file systems. */
export function planInnerIdMap(context: PlanContext, mount: Mount, target: IdMappedMount): Step[] {
  const { uid } = context.input.host;
  if (uid !== 0) return planIdMappedMount(context, mount, { ...target, step: initStep });
  const steps = planIdMappedMount(context, mount, { ...target, step: stepsOf('shift') });
  if (steps.length === 0) return [];
  const purpose = `wait for the owners of ${JSON.stringify(mount.source)}`;
  const fields = { number: sections.shift, slot: target.slot };
  return [...steps, initStep('ask', { purpose, jsonPath: target.jsonPath, fields })];
}
