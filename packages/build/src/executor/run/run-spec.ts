import {
  type IdMapping,
  type Mount,
  namespaceIds,
  nestedSpec,
  type RuntimeSpec,
  specFromImage,
} from '@ocijs/bundle';
import { defaultSeccompProfile } from '@ocijs/runtime/seccomp';
import { commandLine } from '../../config/apply-instruction.ts';
import type { RunInstruction } from '../../dockerfile/instructions/types.ts';
import { BuildError } from '../../errors.ts';
import { completeDraft, type StageState } from '../stage-state.ts';
import { insecureSpec } from './insecure-spec.ts';
import { runEnvironment } from './run-environment.ts';

export interface RunSpecOptions {
  readonly instruction: RunInstruction;
  readonly rootfs: string;
  /** Mounts of the instruction and of the host's network files. */
  readonly mounts: readonly Mount[];
  readonly network: 'host' | 'none';
  /** Variables for this step alone, such as secrets; they are in no key and no image. */
  readonly extraEnvironment: readonly string[];
  /** `--build-arg`, for the proxies among them. */
  readonly given: ReadonlyMap<string, string>;
}

/** What `RUN` runs with: the image's environment, user and directory, the arguments declared so far, and Docker's usual confinement. */
export function runSpec(state: StageState, options: RunSpecOptions): RuntimeSpec {
  const { instruction, rootfs, mounts, network } = options;
  const { config } = state.config;
  const { Entrypoint: _entrypoint, Cmd: _command, Volumes: _volumes, ...execution } = config;
  const image = completeDraft(state).config;
  const base = specFromImage(
    { ...image, config: { ...execution, Cmd: commandLine(instruction.command, config) } },
    { rootfs, volumes: 'ignore' },
  );
  const env = [
    ...runEnvironment(state, options.given),
    ...(base.process?.env ?? []),
    ...options.extraEnvironment,
  ];
  const namespaces = base.linux?.namespaces?.filter(({ type }) => network !== 'host' || type !== 'network');
  const capabilities = base.process?.capabilities?.bounding ?? [];
  const spec: RuntimeSpec = {
    ...base,
    hostname: 'build',
    mounts: [...(base.mounts ?? []), ...mounts],
    process: {
      ...base.process,
      user: base.process?.user ?? { uid: 0, gid: 0 },
      cwd: base.process?.cwd ?? '/',
      env,
    },
    linux: {
      ...base.linux,
      ...(namespaces === undefined ? {} : { namespaces }),
      seccomp: defaultSeccompProfile(capabilities),
    },
  };
  const possible = withoutForeignIds(spec, network);
  return instruction.security === 'insecure' ? insecureSpec(possible) : possible;
}

/** In a user namespace there may be no other ids than root's. */
function withoutForeignIds(spec: RuntimeSpec, network: 'host' | 'none'): RuntimeSpec {
  const ids = namespaceIds();
  if (ids === undefined) return spec;
  const { uid = 0, gid = 0 } = spec.process?.user ?? {};
  const isMapped = (id: number, map: readonly IdMapping[]): boolean =>
    map.some(({ containerID, size }) => id >= containerID && id < containerID + size);
  if (!isMapped(uid, ids.uidMappings) || !isMapped(gid, ids.gidMappings))
    throw new BuildError('ERR_OCI_BUILD_UNSUPPORTED', `RUN as ${uid}:${gid} needs subordinate ids`, {
      hint: 'give your user ranges in /etc/subuid and /etc/subgid, see `oci doctor`, or build as root',
    });
  return nestedSpec(spec, { ...ids, network: network === 'none' ? 'private' : 'host' });
}
