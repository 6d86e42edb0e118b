import type { Hook } from '@ocijs/bundle/spec';
import { stateVersion } from '../state/version.ts';
import type { PlanContext } from './context.ts';
import { initStep, type Step, stepsOf } from './step.ts';

/** The lists of hooks that the init runs inside the container. */
export type ContainerHookList = 'createContainer' | 'startContainer';

/** How to speak of a hook: completes "cannot …" and "error …ing …". */
export function hookPlace(
  name: string,
  index: number,
): { readonly purpose: string; readonly jsonPath: string } {
  return { purpose: `run ${name} hook #${index}`, jsonPath: `$.hooks.${name}[${index}]` };
}

/** The state, in two parts: between them goes the process id, as the container sees it. */
function stateParts(context: PlanContext): { readonly text: string; readonly value: string } {
  const { id, bundle, spec } = context.input;
  const annotations = Object.keys(spec.annotations ?? {}).length > 0 ? spec.annotations : undefined;
  const before = JSON.stringify({ ociVersion: stateVersion, id, status: 'created' });
  const after = JSON.stringify({ bundle, ...(annotations && { annotations }) });
  return { text: `${before.slice(0, -1)},"pid":`, value: `,${after.slice(1)}` };
}

function hookStep(context: PlanContext, name: ContainerHookList, hook: Hook, index: number): Step {
  return initStep('hook', {
    ...hookPlace(name, index),
    fields: {
      ...stateParts(context),
      path: hook.path,
      argument: hook.args?.length ? hook.args : [hook.path],
      variable: hook.env ?? (name === 'startContainer' ? (context.input.spec.process?.env ?? []) : []),
      number: (hook.timeout ?? 0) * 1000,
      soft: index,
      // Where runc's hooks are at that time; the host's paths are gone when the container starts.
      source: name === 'createContainer' ? context.input.rootfs : undefined,
    },
  });
}

/**
 * Hooks that run in the container's namespaces: `createContainer` with the host's files in sight, before the change of
 * root; `startContainer` with the container's files alone, after `start`, without an environment of its own in that of the
 * process (runtime-spec `config.md`, "POSIX-platform Hooks").
 */
export function planContainerHooks(context: PlanContext, name: ContainerHookList): Step[] {
  const hooks = context.input.spec.hooks?.[name] ?? [];
  return hooks.map((hook, index) => hookStep(context, name, hook, index));
}

/** Where `start` is told that a hook failed; nothing is made where there is none. */
export function planStartResult(context: PlanContext): Step[] {
  const { spec, stateDirectory } = context.input;
  if ((spec.hooks?.startContainer ?? []).length === 0) return [];
  const fields = { path: `${stateDirectory}/result.fifo` };
  return [stepsOf('host')('resultFifo', { purpose: 'make the result fifo', fields })];
}

/** True when hooks may look for the container's mounts below the bundle's root file system. */
export function hooksSeeRoot(context: PlanContext): boolean {
  const { prestart = [], createRuntime = [], createContainer = [] } = context.input.spec.hooks ?? {};
  return [prestart, createRuntime, createContainer].some((list) => list.length > 0);
}
