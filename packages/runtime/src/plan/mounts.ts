import { posix } from 'node:path';
import type { Mount } from '@ocijs/bundle/spec';
import { planCgroupMount } from './cgroup-mounts.ts';
import { conflict, type PlanContext } from './context.ts';
import { aloneFlag, onlyFlag, targetFlags } from './format.ts';
import { planIdMappedMount, planInnerIdMap } from './id-mapped-mounts.ts';
import { type MountOptions, mountAttributes, parseMountOptions } from './mount-options.ts';
import { attributeSteps, filesystemSteps, type MountPlace, openTreeStep } from './mount-steps.ts';
import { containerPath, mountTargetFlags } from './mount-targets.ts';
import { initStep, type Step, type StepMaker, stepsOf } from './step.ts';

/** The mounts of a container in three parts. */
export interface MountPlan {
  /** Opens what exists in the host, before the init turns away from it, and makes file systems. */
  readonly open: readonly Step[];
  /** Attaches everything, in the configuration's order. */
  readonly attach: readonly Step[];
  /** Makes read-only what had to be writable for the mounts and devices inside it. */
  readonly finish: readonly Step[];
  /** True when the configuration brings a /dev of its own, so that none is filled. */
  readonly hasBoundDev: boolean;
}

/**
 * Sources are opened in the host when root starts a container with a user namespace: its root may not reach them. A mount
 * namespace that is joined has its own files.
 */
export function opensInHost({ created, joined, input }: PlanContext): boolean {
  return (created.has('user') || joined.has('user')) && !joined.has('mount') && input.host.uid === 0;
}

/** Opens the host's mounts, if any are among the steps, as a user namespace sees them: all that they forbid is locked. */
export function inLockedView(steps: readonly Step[]): readonly Step[] {
  if (!steps.some(({ tag }) => tag === 'openTree')) return steps;
  const step = stepsOf('host');
  const view = (purpose: string, flags: number): Step => step('lockedView', { purpose, fields: { flags } });
  return [
    view('see the mounts of the host as a user namespace does', onlyFlag),
    ...steps,
    view('see the mounts of the host again', 0),
  ];
}

function sourceStep(context: PlanContext): StepMaker {
  return stepsOf(opensInHost(context) ? 'host' : 'init');
}

/** What a kernel file system is replaced by where the container has no namespace that it would show. */
function effectiveMount(context: PlanContext, mount: Mount): Mount {
  const { created } = context;
  if (!created.has('user')) return mount;
  const options = ['rbind', 'rslave', ...(mount.options ?? [])];
  if (mount.type === 'sysfs' && !created.has('network'))
    return { ...mount, source: '/sys', type: 'bind', options };
  if (mount.type === 'proc' && !created.has('pid'))
    return { ...mount, source: '/proc', type: 'bind', options };
  return mount;
}

function attachStep(place: MountPlace, slot: number, flags: number): Step {
  return initStep('attach', {
    purpose: `mount ${place.label} at ${JSON.stringify(place.path)}`,
    jsonPath: place.jsonPath,
    fields: { slot, path: place.path, flags },
  });
}

/** A bind mount of what lies in the container: earlier mounts are seen in it, so that it is opened in its turn. */
function planInner(
  context: PlanContext,
  mount: Mount,
  place: MountPlace & { options: MountOptions; source: string; slot: number },
): MountPlan {
  const { options, path, jsonPath, slot, source } = place;
  const attach = [
    initStep('cloneInRoot', {
      purpose: `open ${JSON.stringify(source)}`,
      jsonPath,
      fields: {
        slot,
        path: source.slice(context.input.rootfs.length),
        flags: options.bind === 'recursive' ? 0 : aloneFlag,
      },
    }),
    ...planInnerIdMap(context, mount, { slot, jsonPath, options }),
    ...attributeSteps(initStep, bindAttributes(context, { slot, place, options })),
    attachStep(place, slot, mountTargetFlags({ path, jsonPath, type: 'bind' })),
  ];
  return { open: [], attach, finish: [], hasBoundDev: path === '/dev' };
}

/**
 * With options, a bind mount has exactly what they say of these, whatever its source was mounted with, as in runc. What the
 * source forbids is locked for a user namespace: it stays unless an option takes it back by its name, which fails.
 */
function bindAttributes(
  context: PlanContext,
  mount: { readonly slot: number; readonly place: MountPlace; readonly options: MountOptions },
): Parameters<typeof attributeSteps>[1] {
  const { options } = mount;
  const { attributes, recursiveAttributes } = options;
  const given = { ...mount, defaultPropagation: defaultPropagation(context) };
  if (!options.hasAttributes) return given;
  const { readonly, nosuid, nodev, noexec, nosymfollow } = mountAttributes;
  const named = attributes.set | attributes.clear | recursiveAttributes.set;
  const clear = attributes.clear | (nosymfollow & ~named);
  return {
    ...given,
    options: { ...options, attributes: { ...attributes, clear } },
    implied: (readonly | nosuid | nodev | noexec) & ~named,
  };
}

function planBind(
  context: PlanContext,
  mount: Mount,
  place: MountPlace & { options: MountOptions },
): MountPlan {
  const { options, path, jsonPath } = place;
  if (!mount.source) throw conflict(`${jsonPath}.source`, 'is needed for a bind mount');
  const step = sourceStep(context);
  const slot = context.slot();
  const source = posix.resolve(context.input.bundle, mount.source);
  const { rootfs } = context.input;
  if (source.startsWith(`${rootfs}/`)) return planInner(context, mount, { ...place, source, slot });
  const open = [
    openTreeStep(step, { slot, path: source, recursive: options.bind === 'recursive', jsonPath }),
    ...planIdMappedMount(context, mount, { slot, step, jsonPath, options }),
    ...attributeSteps(step, bindAttributes(context, { slot, place, options })),
  ];
  const flags = mountTargetFlags({ path, jsonPath, type: 'bind' });
  return { open, attach: [attachStep(place, slot, flags)], finish: [], hasBoundDev: path === '/dev' };
}

/**
 * True for a container in the mount namespace of its creator. Its file system is a tree that is attached nowhere, of which
 * the host sees nothing and which is gone with its last process (Linux 6.15).
 */
export function sharesMounts({ created, joined }: PlanContext): boolean {
  return !created.has('mount') && !joined.has('mount');
}

/** True when what the container mounts may appear in the host. */
export function isShared(rootfsPropagation: string | undefined): boolean {
  return rootfsPropagation === 'shared' || rootfsPropagation === 'rshared';
}

/** Without a word about it, what the host mounts later appears in the container, but not the other way round. */
function defaultPropagation(context: PlanContext): 'slave' | undefined {
  return isShared(context.input.spec.linux?.rootfsPropagation) ? undefined : 'slave';
}

function planFilesystem(
  context: PlanContext,
  mount: Mount,
  place: MountPlace & { options: MountOptions; root: number | undefined },
): MountPlan {
  const { path, jsonPath, options } = place;
  const type = mount.type as string;
  const flags = mountTargetFlags({ path, jsonPath, type });
  const { selinux } = context.input.host.labels;
  const label = context.input.spec.linux?.mountLabel;
  const labelled = selinux && label && ['tmpfs', 'devpts', 'mqueue'].includes(type);
  const data = labelled ? [...options.data, `context=${label}`] : options.data;
  // Devices, and mounts inside it, come later: a tmpfs becomes read-only when all is in place.
  const isLate =
    type === 'tmpfs' && !sharesMounts(context) && (options.attributes.set & mountAttributes.readonly) !== 0;
  const set = isLate ? options.attributes.set & ~mountAttributes.readonly : options.attributes.set;
  const now = { ...options, data, attributes: { ...options.attributes, set } };
  if (data.some((option) => option.length - option.indexOf('=') > 255)) {
    return { open: [], attach: [legacyMountStep(mount, place, now, flags)], finish: [], hasBoundDev: false };
  }
  const inheritsMode = type === 'tmpfs' && !data.some((option) => option.startsWith('mode='));
  const slot = context.slot();
  // Made with the sources of bind mounts, in the same order: it is the one in which mountinfo lists them.
  const source = mount.source ?? type;
  const modeOf = inheritsMode ? place.root : undefined;
  const open = filesystemSteps({ slot, type, source, place, options: now, modeOf });
  const attach = [
    ...(options.copyUp ? [copyUpStep(place, slot)] : []),
    attachStep(place, slot, flags | (isLate ? targetFlags.keep : 0) | (inheritsMode ? targetFlags.mode : 0)),
  ];
  const finish = isLate ? [readonlyStep(place, slot)] : [];
  return { open, attach, finish, hasBoundDev: false };
}

function readonlyStep(place: MountPlace, slot: number): Step {
  return initStep('mountAttributes', {
    purpose: `make ${JSON.stringify(place.path)} read-only`,
    jsonPath: place.jsonPath,
    fields: { slot, set: mountAttributes.readonly },
  });
}

function copyUpStep(place: MountPlace, slot: number): Step {
  const { path, jsonPath } = place;
  const purpose = `copy ${JSON.stringify(path)} into its tmpfs`;
  return initStep('copyUp', { purpose, jsonPath, fields: { slot, path } });
}

/** Flags of mount(2) for the attributes that have the same number there, and for those that have another. */
function legacyMountStep(mount: Mount, place: MountPlace, options: MountOptions, flags: number): Step {
  const { set } = options.attributes;
  const { noatime, strictatime, nodiratime, nosymfollow } = mountAttributes;
  const legacy =
    (set & 0xf) |
    (set & noatime ? 1 << 10 : 0) |
    (set & nodiratime ? 1 << 11 : 0) |
    (set & strictatime ? 1 << 24 : 0) |
    (set & nosymfollow ? 1 << 8 : 0);
  return initStep('legacyMount', {
    purpose: `mount ${place.label} at ${JSON.stringify(place.path)}`,
    jsonPath: place.jsonPath,
    fields: {
      path: place.path,
      source: mount.source ?? mount.type,
      type: mount.type,
      text: options.data.join(','),
      set: legacy,
      flags: (flags & ~targetFlags.likeSource) | targetFlags.directory,
    },
  });
}

/** A destination may be written as the host sees it, as for runc. */
function withoutRoot({ input }: PlanContext, destination: string): string {
  const { rootfs } = input;
  return rootfs !== '/' && destination.startsWith(`${rootfs}/`)
    ? destination.slice(rootfs.length)
    : destination;
}

function planMount(
  context: PlanContext,
  given: Mount,
  { index, root }: { readonly index: number; readonly root: number | undefined },
): MountPlan {
  const mount = effectiveMount(context, given);
  const options = parseMountOptions(mount.options ?? []);
  const isBind = options.bind !== false || mount.type === 'bind' || mount.type === 'rbind';
  const path = containerPath(withoutRoot(context, mount.destination));
  const label = isBind ? JSON.stringify(mount.source) : `a ${mount.type}`;
  const place = { path, jsonPath: `$.mounts[${index}]`, label };
  if (isBind) {
    const bind = options.bind === false ? (mount.type === 'rbind' ? 'recursive' : 'one') : options.bind;
    return planBind(context, mount, { ...place, options: { ...options, bind } });
  }
  if (!mount.type) throw conflict(`${place.jsonPath}.type`, 'is needed for a mount that is not a bind mount');
  if (mount.type === 'cgroup' || mount.type === 'cgroup2') {
    return { ...planCgroupMount(context, { ...place, options }), hasBoundDev: false };
  }
  return planFilesystem(context, mount, { ...place, options, root });
}

/**
 * The mounts of a configuration, in its order. `root` is the slot of the root file system, if it is opened before them.
 * Throws ERR_OCI_SPEC_CONFLICT for what can never be mounted.
 */
export function planMounts(context: PlanContext, root?: number): MountPlan {
  const mounts = context.input.spec.mounts ?? [];
  const plans = mounts.map((mount, index) => planMount(context, mount, { index, root }));
  return {
    open: plans.flatMap(({ open }) => open),
    attach: plans.flatMap(({ attach }) => attach),
    // What is attached to a tree that lies nowhere cannot be changed any more.
    finish: sharesMounts(context) ? [] : plans.flatMap(({ finish }) => finish),
    hasBoundDev: plans.some(({ hasBoundDev }) => hasBoundDev),
  };
}
