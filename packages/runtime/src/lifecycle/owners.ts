import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { IdMapping, RuntimeSpec } from '@ocijs/bundle/spec';
import type { OnEvent } from '@ocijs/image';
import { RuntimeError } from '../errors.ts';
import type { OwnerAgent } from '../owners/agent.ts';
import type { UnnotedOwners } from '../owners/remembered.ts';
import { containerDirectory } from '../state/store.ts';
import type { Filter } from './seccomp.ts';

/** How a container's calls about owners will be answered. */
export interface OwnerPlan {
  /** The configuration with the socket by which processes of the container get to the agent. */
  readonly spec: RuntimeSpec;
  /** The container's filter, in which those calls are asked for. */
  filter(own: Filter | undefined): Filter;
  /** Starts the agent; the container's state directory must be there. */
  start(onEvent: OnEvent | undefined): Promise<OwnerAgent>;
}

/**
 * Plans the emulation of owners. Throws ERR_OCI_SPEC_CONFLICT for a container that can have real ones, and for root, who needs
 * none.
 */
export async function planOwners(
  id: string,
  {
    root,
    owners,
    spec,
  }: { readonly root: string; readonly owners: UnnotedOwners; readonly spec: RuntimeSpec },
): Promise<OwnerPlan> {
  requireOneId(spec);
  // Only few containers need them.
  const [{ withOwnerCalls }, { startOwnerAgent }] = await Promise.all([
    import('../owners/filter.ts'),
    import('../owners/agent.ts'),
  ]);
  const path = join(containerDirectory(root, id), 'owners.sock');
  const seccomp = spec.linux?.seccomp ?? { defaultAction: 'SCMP_ACT_ALLOW' };
  return {
    spec: { ...spec, linux: { ...spec.linux, seccomp: { ...seccomp, listenerPath: path } } },
    filter: (own) => withOwnerCalls(own),
    start: (onEvent) => startOwnerAgent(path, { unnoted: owners, onEvent }),
  };
}

function requireOneId({ linux }: RuntimeSpec): void {
  if (process.geteuid?.() === 0)
    throw refusal('root can give files to anybody', 'leave it out: files have the owners of the image');
  const user = linux?.namespaces?.find(({ type }) => type === 'user');
  if (user === undefined) throw refusal('the container has no user namespace', 'give it one of a single id');
  const { uidMappings = [], gidMappings = [] } = linux ?? {};
  const maps = user.path ? mapsOf(user.path) : [uidMappings, gidMappings];
  if (maps?.some((map) => map.reduce((sum, { size }) => sum + size, 0) > 1))
    throw refusal(
      'the container has several ids',
      'leave it out: files can belong to the subordinate ids, as after `oci unpack --userns`',
    );
}

function refusal(reason: string, hint: string): RuntimeError {
  return new RuntimeError('ERR_OCI_SPEC_CONFLICT', `owners are not emulated: ${reason}`, { hint });
}

/** The ids of a namespace that is named by a process in it. */
function mapsOf(path: string): readonly (readonly Pick<IdMapping, 'size'>[])[] | undefined {
  const directory = /^(\/proc\/(?:\d+|self))\/ns\/user$/.exec(path)?.[1];
  if (directory === undefined) return undefined;
  return ['uid_map', 'gid_map'].map((name) =>
    readFileSync(`${directory}/${name}`, 'utf8')
      .trim()
      .split('\n')
      .map((line) => ({ size: Number(line.trim().split(/\s+/)[2] ?? 0) })),
  );
}
