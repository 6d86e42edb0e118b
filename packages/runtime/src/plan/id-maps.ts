import type { IdMapping } from '@ocijs/bundle/spec';
import { RuntimeError } from '../errors.ts';
import type { PlanContext, ProcessContext } from './context.ts';
import { onlyFlag } from './format.ts';
import { type Step, stepsOf } from './step.ts';

/** What /proc/PID/uid_map takes. */
export function idMapText(mappings: readonly IdMapping[]): string {
  return mappings.map(({ containerID, hostID, size }) => `${containerID} ${hostID} ${size}\n`).join('');
}

/** True for the one map that the kernel lets an ordinary user write: of its own id alone. */
function isOwnId(mappings: readonly IdMapping[], id: number): boolean {
  const [only, ...others] = mappings;
  return only !== undefined && others.length === 0 && only.size === 1 && only.hostID === id;
}

function helperStep(
  name: 'newuidmap' | 'newgidmap',
  mappings: readonly IdMapping[],
  path: string | undefined,
): Step {
  const jsonPath = name === 'newuidmap' ? '$.linux.uidMappings' : '$.linux.gidMappings';
  if (path === undefined) {
    throw new RuntimeError('ERR_OCI_SPEC_UNSUPPORTED', `config.json: ${jsonPath} needs the program ${name}`, {
      jsonPath,
      hint: 'Install the package uidmap (shadow-utils), or map only your own user and group.',
    });
  }
  const argument = mappings.flatMap(({ containerID, hostID, size }) =>
    [containerID, hostID, size].map(String),
  );
  return stepsOf('maps')('idMapHelper', {
    purpose: `map ids with ${path}`,
    jsonPath,
    fields: { path, argument },
  });
}

/**
 * How the maps of a new user namespace are written: directly by root and for a single own id, else by the set-uid
 * helpers. A group map written without privilege must give up setgroups(2) first.
 */
export function planIdMaps(context: PlanContext): Step[] {
  const { spec, host } = context.input;
  if (!context.created.has('user')) return [];
  const step = stepsOf('maps');
  const uids = spec.linux?.uidMappings ?? [];
  const gids = spec.linux?.gidMappings ?? [];
  const purpose = 'write the id maps of the user namespace';
  const jsonPath = '$.linux.uidMappings';
  if (host.uid === 0) {
    return [
      step('idMaps', { purpose, jsonPath, fields: { uidMap: idMapText(uids), gidMap: idMapText(gids) } }),
    ];
  }
  const gidStep = isOwnId(gids, host.gid)
    ? step('idMaps', { purpose, jsonPath, fields: { gidMap: idMapText(gids), flags: onlyFlag } })
    : helperStep('newgidmap', gids, host.newgidmap);
  const uidStep = isOwnId(uids, host.uid)
    ? step('idMaps', { purpose, jsonPath, fields: { uidMap: idMapText(uids) } })
    : helperStep('newuidmap', uids, host.newuidmap);
  return [gidStep, uidStep];
}

/** True when the container's process may not call setgroups(2). */
export function groupsDenied(context: ProcessContext): boolean {
  const { spec, host } = context.input;
  if (!context.created.has('user')) return host.groupsDenied && !context.joined.has('user');
  return host.uid !== 0 && isOwnId(spec.linux?.gidMappings ?? [], host.gid);
}
