import { onlyFlag } from './format.ts';
import { type MountOptions, mountAttributes, propagationFlags } from './mount-options.ts';
import type { Step, StepMaker } from './step.ts';
import { initStep } from './step.ts';

/** Where a mount goes, and how to speak of it. */
export interface MountPlace {
  /** In the container, normalised. */
  readonly path: string;
  readonly jsonPath: string;
  /** Such as `a tmpfs`. */
  readonly label: string;
}

const openTreeFlags = { recursive: 0x8000 } as const;

/** Clones a mount of the host, without attaching it anywhere. */
export function openTreeStep(
  step: StepMaker,
  tree: {
    readonly slot: number;
    readonly path: string;
    readonly recursive: boolean;
    readonly jsonPath: string;
  },
): Step {
  const { slot, path, recursive, jsonPath } = tree;
  const flags = recursive ? openTreeFlags.recursive : 0;
  return step('openTree', {
    purpose: `open ${JSON.stringify(path)}`,
    jsonPath,
    fields: { slot, path, flags },
  });
}

/** Makes a new instance of a file system. */
export function filesystemSteps(filesystem: {
  readonly slot: number;
  readonly type: string;
  readonly source: string;
  readonly place: MountPlace;
  readonly options: MountOptions;
  /** The root file system whose directory of that path gives the new one its mode. */
  readonly modeOf?: number | undefined;
}): Step[] {
  const { slot, type, source, place, options, modeOf } = filesystem;
  // The superblock becomes read-only too, as by mount(2); those of cgroups are the host's and stay as they are.
  const isReadonly = (options.attributes.set & mountAttributes.readonly) !== 0 && !type.startsWith('cgroup');
  const data = isReadonly ? ['ro', ...options.data] : options.data;
  const pairs = data.map((option) => {
    const cut = option.indexOf('=');
    return cut < 0 ? ([option, ''] as const) : ([option.slice(0, cut), option.slice(cut + 1)] as const);
  });
  const make = initStep('filesystem', {
    purpose: `make ${place.label} for ${JSON.stringify(place.path)}`,
    jsonPath: place.jsonPath,
    fields: {
      slot,
      type,
      source,
      set: options.attributes.set,
      key: pairs.map(([key]) => key),
      value: pairs.map(([, value]) => value),
      ...(modeOf !== undefined && { path: place.path, idSlot: modeOf }),
    },
  });
  const later = { ...options, attributes: { set: 0, clear: 0 } };
  return [make, ...attributeSteps(initStep, { slot, place, options: later })];
}

/** Sets what is asked for on a mount that is not attached yet: attributes, those of all mounts below, propagation. */
export function attributeSteps(
  step: StepMaker,
  change: {
    readonly slot: number;
    readonly place: MountPlace;
    readonly options: MountOptions;
    /** Attributes of the source that go as well, unless the kernel does not let this container take them back. */
    readonly implied?: number;
    /** For mounts that say nothing themselves. */
    readonly defaultPropagation?: 'slave' | undefined;
  },
): Step[] {
  const { slot, place, options, implied = 0, defaultPropagation } = change;
  const make = (fields: Step['fields']): Step =>
    step('mountAttributes', {
      purpose: `set the options of the mount at ${JSON.stringify(place.path)}`,
      jsonPath: `${place.jsonPath}.options`,
      fields: { slot, ...fields },
    });
  const spread =
    defaultPropagation === undefined || options.propagation.length > 0
      ? []
      : [{ propagation: propagationFlags[defaultPropagation], recursive: true }];
  const recursive = options.recursiveAttributes;
  const own = options.attributes;
  return [
    ...(recursive.set || recursive.clear ? [make({ ...recursive, recursive: 1 })] : []),
    ...(own.set || own.clear ? [make({ ...own })] : []),
    ...(implied ? [make({ clear: implied, flags: onlyFlag })] : []),
    ...[...spread, ...options.propagation].map((one) =>
      make({ propagation: one.propagation, recursive: one.recursive ? 1 : 0 }),
    ),
  ];
}
