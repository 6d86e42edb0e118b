import type { PlanContext } from './context.ts';
import { onlyFlag, targetFlags } from './format.ts';
import { mountAttributes } from './mount-options.ts';
import { containerPath } from './mount-targets.ts';
import { initStep, type Step } from './step.ts';

/** Covers every masked path that exists, and makes read-only what shall be. */
export function planMasks(context: PlanContext): Step[] {
  const { maskedPaths = [], readonlyPaths = [] } = context.input.spec.linux ?? {};
  const readonly = readonlyPaths.flatMap((given, index) => {
    const path = containerPath(given);
    const slot = context.slot();
    const details = {
      purpose: `make ${JSON.stringify(path)} read-only`,
      jsonPath: `$.linux.readonlyPaths[${index}]`,
    };
    const flags = targetFlags.optional | targetFlags.proc;
    return [
      initStep('cloneInRoot', { ...details, fields: { slot, path, flags: onlyFlag } }),
      initStep('mountAttributes', { ...details, fields: { slot, set: mountAttributes.readonly } }),
      initStep('attach', { ...details, fields: { slot, path, flags } }),
    ];
  });
  const masked = [...new Set(maskedPaths.map(containerPath))].map((path) =>
    initStep('mask', {
      purpose: `mask ${JSON.stringify(path)}`,
      jsonPath: '$.linux.maskedPaths',
      fields: { path },
    }),
  );
  return [...readonly, ...masked];
}
