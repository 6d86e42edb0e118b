import type { PlanContext } from './context.ts';
import { planDevices } from './devices.ts';
import { onlyFlag } from './format.ts';
import { hooksSeeRoot, planContainerHooks } from './hooks.ts';
import { planMasks } from './masks.ts';
import { mountAttributes, propagationFlags } from './mount-options.ts';
import { openTreeStep } from './mount-steps.ts';
import { containerPath } from './mount-targets.ts';
import { inLockedView, isShared, opensInHost, planMounts, sharesMounts } from './mounts.ts';
import { initStep, type Step, stepsOf } from './step.ts';
import { planConsole } from './terminal.ts';

function parsePropagation(
  text: string,
): { readonly propagation: number; readonly recursive: number } | undefined {
  const isRecursive = text.startsWith('r');
  const name = isRecursive ? text.slice(1) : text;
  if (!Object.hasOwn(propagationFlags, name)) return undefined;
  return {
    propagation: propagationFlags[name as keyof typeof propagationFlags],
    recursive: isRecursive ? 1 : 0,
  };
}

/** The root file system as a mount of its own, which nothing in the host hears of unless it is to be shared. */
function openRoot(context: PlanContext, slot: number): Step[] {
  const { rootfs, spec } = context.input;
  const step = stepsOf(opensInHost(context) ? 'host' : 'init');
  const jsonPath = '$.root.path';
  const open = openTreeStep(step, { slot, path: rootfs, recursive: true, jsonPath });
  const separate = (fields: Step['fields']): Step =>
    step('mountAttributes', {
      purpose: 'separate the root file system',
      jsonPath,
      fields: { slot, ...fields },
    });
  // The root itself is never shared with the host: all mounts of the container would appear there.
  const alone = separate({ propagation: propagationFlags.private });
  if (isShared(spec.linux?.rootfsPropagation)) return [open, alone];
  return [open, separate({ propagation: propagationFlags.slave, recursive: 1 }), alone];
}

function finishRoot(context: PlanContext): Step[] {
  const { spec, host } = context.input;
  const isHosts = sharesMounts(context);
  const noPivot = context.input.noPivot && !isHosts;
  const propagation = parsePropagation(spec.linux?.rootfsPropagation ?? '');
  // Without pivot_root the host's mounts stay below; those that show the kernel unmasked must go first.
  const hidden = noPivot
    ? host.kernelMounts.map((path) =>
        initStep('unmount', { purpose: `unmount ${JSON.stringify(path)}`, fields: { path } }),
      )
    : [];
  return [
    ...hidden,
    initStep('pivot', { purpose: 'change the root', fields: { flags: noPivot || isHosts ? onlyFlag : 0 } }),
    ...(propagation === undefined
      ? []
      : [
          initStep('mountAttributes', {
            purpose: 'set the propagation of the root file system',
            jsonPath: '$.linux.rootfsPropagation',
            fields: { path: '/', ...propagation },
          }),
        ]),
  ];
}

/** Everything from the host's view of files to the container's; `hooks` run when the mounts are there. */
export function planRoot(context: PlanContext, hooks: readonly Step[]): Step[] {
  const { spec, rootfs, noPivot } = context.input;
  const slot = context.slot();
  const mounts = planMounts(context, slot);
  const open = [...openRoot(context, slot), ...mounts.open];
  const cwd = containerPath(spec.process?.cwd ?? '/');
  const readonly = initStep('mountAttributes', {
    purpose: 'make the root file system read-only',
    jsonPath: '$.root.readonly',
    fields: { path: '/', set: mountAttributes.readonly },
  });
  const separate = initStep('mountAttributes', {
    purpose: "separate the container's mounts from the host's",
    fields: { path: '/', propagation: propagationFlags.slave, recursive: 1 },
  });
  return [
    ...(opensInHost(context) ? inLockedView(open) : open),
    ...(sharesMounts(context) ? [] : [separate]),
    initStep('root', {
      purpose: 'mount the root file system',
      jsonPath: '$.root.path',
      fields: {
        slot,
        path: hooksSeeRoot(context) && !noPivot ? rootfs : undefined,
        flags: sharesMounts(context) ? onlyFlag : 0,
      },
    }),
    ...mounts.attach,
    ...planDevices(context, mounts),
    ...planConsole(context, { isFirst: true }),
    ...hooks,
    ...planContainerHooks(context, 'createContainer'),
    initStep('directory', {
      purpose: `make ${JSON.stringify(cwd)}`,
      jsonPath: '$.process.cwd',
      fields: { path: cwd },
    }),
    ...planMasks(context),
    ...mounts.finish,
    ...(spec.root?.readonly ? [readonly] : []),
    ...finishRoot(context),
  ];
}
