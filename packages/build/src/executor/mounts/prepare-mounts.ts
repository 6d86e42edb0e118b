import { mkdtemp, rm } from 'node:fs/promises';
import { join, posix } from 'node:path';
import type { Mount, RuntimeSpec, SettleUpperOptions, TreeFile } from '@ocijs/bundle';
import type { PlannedStage } from '../../dockerfile/graph/plan.ts';
import type { MountFlag, RunInstruction } from '../../dockerfile/instructions/types.ts';
import type { BuildEnvironment } from '../environment.ts';
import type { StageState } from '../stage-state.ts';
import { bindMount } from './bind.ts';
import { cacheMount } from './cache.ts';
import type { PreparedMount, PrepareMount } from './mount-context.ts';
import { secretMount } from './secret.ts';
import { sshMount } from './ssh.ts';
import { tmpfsMount } from './tmpfs.ts';

/** What `RUN` sees beside the image, until it is disposed of. */
export interface PreparedMounts extends AsyncDisposable {
  /** What of them the result depends on. */
  readonly keys: readonly unknown[];
  /** Variables for this step alone; some hold secrets. */
  readonly environment: readonly string[];
  mounts(network: 'host' | 'none'): readonly Mount[];
  /** The paths that are made so that something can be mounted there, and the directories they are made in. */
  mountPoints(spec: RuntimeSpec): Promise<MountPoints>;
}

export type MountPoints = Pick<SettleUpperOptions, 'mountPoints' | 'parents'>;

const preparers: Readonly<Record<MountFlag['type'], PrepareMount>> = {
  bind: bindMount,
  cache: cacheMount,
  secret: secretMount,
  ssh: sshMount,
  tmpfs: tmpfsMount,
};

/** Prepares the `--mount` flags of an instruction. */
export async function prepareMounts(
  environment: BuildEnvironment,
  state: StageState,
  { instruction, planned }: { readonly instruction: RunInstruction; readonly planned: PlannedStage },
): Promise<PreparedMounts> {
  await using resources = new AsyncDisposableStack();
  const directory = await mkdtemp(join(environment.scratch, 'mounts-'));
  resources.defer(() => rm(directory, { recursive: true, force: true }));
  const prepared: PreparedMount[] = [];
  for (const [index, flag] of instruction.mounts.entries()) {
    const target = posix.resolve('/', state.config.config.WorkingDir ?? '/', flag.target ?? '');
    const place = join(directory, String(index));
    prepared.push(
      await preparers[flag.type](flag, { environment, state, planned, target, place, resources }),
    );
  }
  const kept = resources.move();
  return {
    keys: instruction.mounts.map((flag, index) => [
      Object.entries(flag).sort(),
      prepared[index]?.key ?? null,
    ]),
    environment: prepared.flatMap((one) => one.environment),
    mounts: (network) => [
      ...(network === 'host' ? hostFiles : []),
      ...prepared.flatMap(({ mounts }) => mounts),
    ],
    mountPoints: ({ mounts = [] }) => findMountPoints(environment, state, mounts),
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

const hostFiles: readonly Mount[] = ['/etc/resolv.conf', '/etc/hosts'].map((path) => ({
  destination: path,
  source: path,
  type: 'bind',
  options: ['rbind', 'ro', 'nosuid', 'nodev', 'noexec'],
}));

async function findMountPoints(
  environment: BuildEnvironment,
  state: StageState,
  mounts: readonly Mount[],
): Promise<MountPoints> {
  using root = await environment.openState(state);
  const mountPoints = new Set<string>();
  const parents = new Map<string, TreeFile['status']>();
  for (const { destination } of mounts) {
    const names = root.tree.resolve(destination, { followLast: true }).path.split('/');
    for (const index of names.keys()) {
      const path = names.slice(0, index + 1).join('/');
      const { file } = root.tree.resolve(path, { followLast: true });
      if (file === undefined) mountPoints.add(path);
      else parents.set(path, file.status);
    }
  }
  return { mountPoints, parents };
}
