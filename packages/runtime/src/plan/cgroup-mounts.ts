import { posix } from 'node:path';
import type { PlanContext } from './context.ts';
import { targetFlags } from './format.ts';
import type { CgroupHierarchy } from './input.ts';
import { type AttributeChange, type MountOptions, mountAttributes } from './mount-options.ts';
import { attributeSteps, filesystemSteps, type MountPlace, openTreeStep } from './mount-steps.ts';
import { initStep, type Step } from './step.ts';

interface CgroupMountPlan {
  readonly open: readonly Step[];
  readonly attach: readonly Step[];
  readonly finish: readonly Step[];
}

type Place = MountPlace & { readonly options: MountOptions };

function attachStep(place: MountPlace, slot: number, flags = 0): Step {
  return initStep('attach', {
    purpose: `mount ${place.label} at ${JSON.stringify(place.path)}`,
    jsonPath: place.jsonPath,
    fields: { slot, path: place.path, flags: targetFlags.directory | flags },
  });
}

/** The container's own group in a hierarchy, as a directory of the host. */
function ownDirectory(context: PlanContext, hierarchy: CgroupHierarchy): string | undefined {
  const prefix = `${hierarchy.mountPoint}/`;
  const file = context.input.cgroups.find(({ procs }) => procs.startsWith(prefix));
  return file === undefined ? undefined : posix.dirname(file.procs);
}

/**
 * The container's group as it is in the host: all that a container without a cgroup namespace may see. Where it has none,
 * it sees the caller's group, and may not write to it whatever the configuration says (CVE-2023-25809).
 */
function bindGroup(context: PlanContext, hierarchy: CgroupHierarchy, place: Place): CgroupMountPlan {
  const slot = context.slot();
  const own = ownDirectory(context, hierarchy);
  const path = own ?? posix.resolve(hierarchy.mountPoint, `./${hierarchy.ownGroup}`);
  const set = place.options.attributes.set | (own === undefined ? mountAttributes.readonly : 0);
  const options = { ...place.options, attributes: { set, clear: place.options.attributes.clear & ~set } };
  const open = [
    openTreeStep(initStep, { slot, path, recursive: false, jsonPath: place.jsonPath }),
    ...attributeSteps(initStep, { slot, place, options, defaultPropagation: 'slave' }),
  ];
  return { open, attach: [attachStep(place, slot)], finish: [] };
}

function newInstance(context: PlanContext, type: string, place: Place): CgroupMountPlan {
  const slot = context.slot();
  const open = filesystemSteps({ slot, type, source: 'cgroup', place, options: place.options });
  return { open, attach: [attachStep(place, slot)], finish: [] };
}

function controllerMount(context: PlanContext, hierarchy: CgroupHierarchy, place: Place): CgroupMountPlan {
  const { version, controllers } = hierarchy;
  if (!context.created.has('cgroup')) return bindGroup(context, hierarchy, place);
  if (version === 'v2')
    return newInstance(context, 'cgroup2', { ...place, options: { ...place.options, data: [] } });
  // A v1 superblock is the host's: its own options stay as they are, only this mount of it is read-only.
  const data = controllers.some((name) => name.startsWith('name=')) ? ['none', ...controllers] : controllers;
  return newInstance(context, 'cgroup', { ...place, options: { ...place.options, data: [...data] } });
}

const tmpfsAttributes: AttributeChange = {
  set: mountAttributes.nosuid | mountAttributes.nodev | mountAttributes.noexec,
  clear: 0,
};

/** Names such as `cpu` that lead to the directory of `cpu,cpuacct`. */
function controllerLinks(hierarchy: CgroupHierarchy, place: MountPlace): Step[] {
  if (hierarchy.controllers.length < 2) return [];
  return hierarchy.controllers.map((controller) =>
    initStep('symlink', {
      purpose: `link the cgroup controller ${controller}`,
      jsonPath: place.jsonPath,
      fields: { path: `${place.path}/${controller}`, text: posix.basename(hierarchy.mountPoint) },
    }),
  );
}

/** With v1 hierarchies: a small tmpfs that has a directory for each of them. */
function hybridMount(context: PlanContext, place: Place): CgroupMountPlan {
  const slot = context.slot();
  const options: MountOptions = {
    ...place.options,
    attributes: tmpfsAttributes,
    data: ['mode=755', 'size=1024k'],
    propagation: [],
  };
  const { keep } = targetFlags;
  const isReadonly = (place.options.attributes.set & mountAttributes.readonly) !== 0;
  const make = filesystemSteps({ slot, type: 'tmpfs', source: 'tmpfs', place, options });
  // Beside v1 hierarchies the unified one has no controllers; it is of use to a container with a group there.
  const hierarchies = context.input.host.cgroups.filter(
    (hierarchy) => hierarchy.version === 'v1' || ownDirectory(context, hierarchy) !== undefined,
  );
  const plans = hierarchies.map((hierarchy) => {
    const path = posix.join(place.path, posix.basename(hierarchy.mountPoint));
    return controllerMount(context, hierarchy, { ...place, path });
  });
  const links = hierarchies.flatMap((hierarchy) => controllerLinks(hierarchy, place));
  const purpose = `make ${JSON.stringify(place.path)} read-only`;
  const fields = { slot, set: mountAttributes.readonly };
  return {
    open: [...make, ...plans.flatMap(({ open }) => open)],
    attach: [
      attachStep(place, slot, isReadonly ? keep : 0),
      ...plans.flatMap(({ attach }) => attach),
      ...links,
    ],
    finish: isReadonly ? [initStep('mountAttributes', { purpose, jsonPath: place.jsonPath, fields })] : [],
  };
}

/** A mount of type `cgroup`: the hierarchies of the host, of which the container sees its own group only. */
export function planCgroupMount(context: PlanContext, place: Place): CgroupMountPlan {
  const { cgroups } = context.input.host;
  const [first] = cgroups;
  if (first?.version === 'v2' && cgroups.length === 1) return controllerMount(context, first, place);
  return hybridMount(context, place);
}
