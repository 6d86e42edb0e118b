import { posix } from 'node:path';
import type { Mount } from '@ocijs/bundle/spec';
import { planCgroupMount } from './cgroup-mounts.ts';
import { conflict, type PlanContext } from './context.ts';
import { aloneFlag, targetFlags } from './format.ts';
import { planIdMappedMount } from './id-mapped-mounts.ts';
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
 * Sources are opened in the host when root starts a container with a user namespace: its root may not reach them.
 */
export function opensInHost(context: PlanContext): boolean {
  return context.created.has('user') && context.input.host.uid === 0;
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
    ...planIdMappedMount(context, mount, { slot, step: initStep, jsonPath, options }),
    ...attributeSteps(initStep, { slot, place, options, defaultPropagation: defaultPropagation(context) }),
    attachStep(place, slot, mountTargetFlags({ path, jsonPath, type: 'bind' })),
  ];
  return { open: [], attach, finish: [], hasBoundDev: path === '/dev' };
}

/**
 * With options, a bind mount has exactly what they say of these, whatever its source was mounted with, as in runc. In a
 * user namespace, what the source forbids is locked, and stays.
 */
function exactly(context: PlanContext, options: MountOptions): MountOptions {
  const { set, clear } = options.attributes;
  const isMapped = context.created.has('user') || context.joined.has('user');
  if ((set | clear) === 0 || isMapped || context.input.host.uid !== 0) return options;
  const { readonly, nosuid, nodev, noexec, nosymfollow } = mountAttributes;
  const all = readonly | nosuid | nodev | noexec | nosymfollow;
  return { ...options, attributes: { set, clear: clear | (all & ~(set | options.recursiveAttributes.set)) } };
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
    ...attributeSteps(step, { slot, place, options, defaultPropagation: defaultPropagation(context) }),
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
  place: MountPlace & { options: MountOptions },
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
  const open = filesystemSteps({ slot, type, source: mount.source ?? type, place, options: now });
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

function planMount(context: PlanContext, given: Mount, index: number): MountPlan {
  const mount = effectiveMount(context, given);
  const options = parseMountOptions(mount.options ?? []);
  const isBind = options.bind !== false || mount.type === 'bind' || mount.type === 'rbind';
  const path = containerPath(withoutRoot(context, mount.destination));
  const label = isBind ? JSON.stringify(mount.source) : `a ${mount.type}`;
  const place = { path, jsonPath: `$.mounts[${index}]`, label };
  if (isBind) {
    const bind = options.bind === false ? (mount.type === 'rbind' ? 'recursive' : 'one') : options.bind;
    return planBind(context, mount, { ...place, options: exactly(context, { ...options, bind }) });
  }
  if (!mount.type) throw conflict(`${place.jsonPath}.type`, 'is needed for a mount that is not a bind mount');
  if (mount.type === 'cgroup' || mount.type === 'cgroup2') {
    return { ...planCgroupMount(context, { ...place, options }), hasBoundDev: false };
  }
  return planFilesystem(context, mount, { ...place, options });
}

/** The mounts of a configuration, in its order. Throws ERR_OCI_SPEC_CONFLICT for what can never be mounted. */
export function planMounts(context: PlanContext): MountPlan {
  const plans = (context.input.spec.mounts ?? []).map((mount, index) => planMount(context, mount, index));
  return {
    open: plans.flatMap(({ open }) => open),
    attach: plans.flatMap(({ attach }) => attach),
    // What is attached to a tree that lies nowhere cannot be changed any more.
    finish: sharesMounts(context) ? [] : plans.flatMap(({ finish }) => finish),
    hasBoundDev: plans.some(({ hasBoundDev }) => hasBoundDev),
  };
}
