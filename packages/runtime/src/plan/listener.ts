import { stateVersion } from '../state/version.ts';
import type { ProcessContext } from './context.ts';
import { type Step, stepsOf } from './step.ts';

/** SECCOMP_FILTER_FLAG_NEW_LISTENER */
const newListener = 8;

/** True when the filter has calls that an agent answers. */
export function hasListener({ input }: ProcessContext): boolean {
  return input.seccomp !== undefined && (input.seccomp.flags & newListener) !== 0;
}

/** Connects with the agent, in the host: a missing one fails the creation. */
export function planListener(context: ProcessContext): Step[] {
  if (!hasListener(context)) return [];
  const path = context.input.spec.linux?.seccomp?.listenerPath ?? '';
  return [
    stepsOf('host')('listenerSocket', {
      purpose: `connect with the seccomp agent ${JSON.stringify(path)}`,
      jsonPath: '$.linux.seccomp.listenerPath',
      fields: { path },
    }),
  ];
}

/**
 * What the agent is told with the descriptor (runtime-spec `config-linux.md`, "The Container Process State"), cut where
 * the process id belongs, which the init finds out.
 */
export function listenerState(
  context: ProcessContext,
): { readonly text: string; readonly value: string; readonly key: string } | undefined {
  if (!hasListener(context)) return undefined;
  const { id, bundle, spec } = context.input;
  const { annotations } = spec;
  const metadata = spec.linux?.seccomp?.listenerMetadata;
  const before = JSON.stringify({ ociVersion: stateVersion, fds: ['seccompFd'] });
  const middle = JSON.stringify({
    ...(metadata && { metadata }),
    state: { ociVersion: stateVersion, id, status: 'created' },
  });
  const after = JSON.stringify({ bundle, ...(annotations && { annotations }) });
  return {
    text: `${before.slice(0, -1)},"pid":`,
    value: `,${middle.slice(1, -2)},"pid":`,
    key: `,${after.slice(1)}}`,
  };
}
