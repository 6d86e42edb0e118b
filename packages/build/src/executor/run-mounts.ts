import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join, posix } from 'node:path';
import type { Mount, RuntimeSpec } from '@ocijs/bundle';
import type { PlannedStage } from '../dockerfile/graph/plan.ts';
import type { MountFlag, RunInstruction } from '../dockerfile/instructions/types.ts';
import { BuildError } from '../errors.ts';
import type { BuildEnvironment } from './environment.ts';
import type { StageState } from './stage-state.ts';

/** What `RUN` sees beside the image, until it is disposed of. */
export interface PreparedMounts extends AsyncDisposable {
  /** What of them the result depends on. */
  readonly keys: readonly unknown[];
  /** Variables that hold secrets. */
  readonly environment: readonly string[];
  mounts(network: 'host' | 'none'): readonly Mount[];
  /** The paths that are made so that something can be mounted there. */
  madeTargets(
    environment: BuildEnvironment,
    state: StageState,
    spec: RuntimeSpec,
  ): Promise<ReadonlySet<string>>;
}

/** Prepares the `--mount` flags of an instruction. Secrets are files of a directory that only the caller can enter, and go at the end. */
export async function prepareMounts(
  environment: BuildEnvironment,
  state: StageState,
  { instruction }: { readonly instruction: RunInstruction; readonly planned: PlannedStage },
): Promise<PreparedMounts> {
  const directory = await mkdtemp(join(environment.scratch, 'mounts-'));
  const made: Mount[] = [];
  const variables: string[] = [];
  for (const [index, flag] of instruction.mounts.entries()) {
    const target = posix.resolve('/', state.config.config.WorkingDir ?? '/', flag.target ?? '');
    const place = join(directory, String(index));
    if (flag.type === 'tmpfs') made.push(tmpfs(flag, target));
    else if (flag.type === 'cache') made.push(await cacheMount(environment, flag, target));
    else if (flag.type === 'secret') await secretMount(environment, flag, { place, made, variables });
    else
      throw new BuildError(
        'ERR_OCI_BUILD_UNSUPPORTED',
        `RUN --mount=type=${flag.type} is not supported yet`,
        {
          hint: 'COPY the files, or take them from a stage with COPY --from',
        },
      );
  }
  return {
    // What is in a cache, and what a secret is, may change without the step being another one.
    keys: instruction.mounts.map(({ type, target, id, size, environment: name }) => ({
      type,
      target: target ?? null,
      id: id ?? null,
      size: size ?? null,
      variable: name ?? null,
    })),
    environment: variables,
    mounts: (network) => [...(network === 'host' ? hostFiles : []), ...made],
    madeTargets: (own, now, spec) => missingTargets(own, now, spec.mounts ?? []),
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
  };
}

const hostFiles: readonly Mount[] = ['/etc/resolv.conf', '/etc/hosts'].map((path) => ({
  destination: path,
  source: path,
  type: 'bind',
  options: ['rbind', 'ro', 'nosuid', 'nodev', 'noexec'],
}));

function tmpfs({ size }: MountFlag, destination: string): Mount {
  const options = ['nosuid', 'nodev', 'mode=1777', ...(size === undefined ? [] : [`size=${size}`])];
  return { destination, type: 'tmpfs', source: 'tmpfs', options };
}

async function cacheMount(
  { store }: BuildEnvironment,
  { id, mode = 0o755, readonly: isReadonly = false }: MountFlag,
  destination: string,
): Promise<Mount> {
  const name = Buffer.from(id ?? destination)
    .toString('hex')
    .slice(0, 200);
  const source = join(store.directory, 'build-cache', 'mounts', name);
  await mkdir(source, { recursive: true, mode });
  return {
    destination,
    type: 'bind',
    source,
    options: ['rbind', 'nosuid', 'nodev', isReadonly ? 'ro' : 'rw'],
  };
}

async function secretMount(
  { options }: BuildEnvironment,
  flag: MountFlag,
  {
    place,
    made,
    variables,
  }: { readonly place: string; readonly made: Mount[]; readonly variables: string[] },
): Promise<void> {
  const id = flag.id ?? posix.basename(flag.target ?? '');
  const value = options.secrets?.get(id);
  if (value === undefined) {
    if (!flag.required) return;
    throw new BuildError('ERR_OCI_BUILD_SECRET_MISSING', `the secret ${id} is required and was not given`, {
      hint: `give it with --secret id=${id},src=FILE`,
    });
  }
  if (flag.environment !== undefined)
    variables.push(`${flag.environment}=${Buffer.from(value).toString('utf8')}`);
  if (flag.environment !== undefined && flag.target === undefined) return;
  await writeFile(place, value, { mode: flag.mode ?? 0o400 });
  made.push({
    destination: flag.target ?? `/run/secrets/${id}`,
    type: 'bind',
    source: place,
    options: ['rbind', 'ro', 'nosuid', 'nodev', 'noexec'],
  });
}

async function missingTargets(
  environment: BuildEnvironment,
  state: StageState,
  mounts: readonly Mount[],
): Promise<ReadonlySet<string>> {
  using root = await environment.openState(state);
  const missing = new Set<string>();
  for (const { destination } of mounts) {
    const names = root.tree.resolve(destination, { followLast: true }).path.split('/');
    for (const index of names.keys()) {
      const path = names.slice(0, index + 1).join('/');
      if (root.tree.resolve(path, { followLast: true }).file === undefined) missing.add(path);
    }
  }
  return missing;
}
