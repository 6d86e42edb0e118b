import type { ExecutionConfig, ImageConfig } from '@ocijs/image';
import { BundleError } from '../errors.ts';
import { imageAnnotations } from './annotations.ts';
import { dockerCapabilities, imageCapabilities } from './capabilities.ts';
import { defaultSpec } from './defaults.ts';
import { imageEnvironment } from './environment.ts';
import { type RootlessOptions, rootlessOptions, rootlessSpec } from './rootless.ts';
import type { Mount, RuntimeSpec, User } from './types.ts';
import { lookupUser, type RootReader } from './user/lookup.ts';
import { type ResolvedUser, resolveUser } from './user/resolve.ts';

/** Options of {@link specFromImage}. */
export interface SpecFromImageOptions {
  /** The unpacked root file system, or what reads it, for user and group names; without it only ids are known. */
  readonly rootfs?: string | RootReader;
  /** `root.path` of the result, relative to the bundle; `rootfs` by default. */
  readonly rootPath?: string;
  /** Run as this `user[:group]` instead of the image's. */
  readonly user?: string;
  /** For an ordinary user: see {@link RootlessOptions}; `true` maps the caller alone. */
  readonly rootless?: boolean | RootlessOptions;
  /** The capabilities of the container's root user; Docker's fourteen by default. */
  readonly capabilities?: readonly string[];
  /**
   * What becomes of the image's `Volumes`: an empty temporary file system each, as umoci does (what the image
   * has at that place is then hidden), or nothing. `tmpfs` by default.
   */
  readonly volumes?: 'tmpfs' | 'ignore';
}

function processUser({ uid, gid, additionalGids }: ResolvedUser): User {
  return additionalGids.length === 0 ? { uid, gid } : { uid, gid, additionalGids: [...additionalGids] };
}

function processArgs(config: ExecutionConfig): string[] {
  const args = [...(config.Entrypoint ?? []), ...(config.Cmd ?? [])];
  return args.length === 0 ? ['sh'] : args;
}

function workingDirectory(config: ExecutionConfig): string {
  const directory = config.WorkingDir ?? '';
  return directory.startsWith('/') ? directory : `/${directory}`;
}

function volumeMounts(config: ExecutionConfig): Mount[] {
  return Object.keys(config.Volumes ?? {}).map((destination) => {
    if (!destination.startsWith('/') || destination.split('/').includes('..')) {
      throw new BundleError(
        'ERR_OCI_SPEC_INVALID',
        `volume ${JSON.stringify(destination)} of the image is not an absolute path`,
        { path: destination, jsonPath: '$.config.Volumes' },
      );
    }
    const options = ['rw', 'nosuid', 'nodev', 'noexec', 'relatime'];
    return { destination, type: 'tmpfs', source: 'none', options };
  });
}

/**
 * Converts an image configuration to a `config.json` (image-spec `conversion.md`): arguments, environment,
 * working directory, user, annotations and volumes come from the image; namespaces, mounts, limits and
 * masked paths are those of {@link defaultSpec}; the root file system is writable and there is no terminal.
 * Throws ERR_OCI_USER_NOT_FOUND, ERR_OCI_UNPACK_DENIED (hostile user databases) and ERR_OCI_SPEC_INVALID.
 */
export function specFromImage(image: ImageConfig, options: SpecFromImageOptions = {}): RuntimeSpec {
  const config = image.config ?? {};
  const name = options.user ?? config.User ?? '';
  const user = options.rootfs === undefined ? resolveUser(name, {}) : lookupUser(options.rootfs, name);
  const base = defaultSpec();
  const volumes = options.volumes === 'ignore' ? [] : volumeMounts(config);
  const spec: RuntimeSpec = {
    ...base,
    process: {
      ...base.process,
      terminal: false,
      user: processUser(user),
      args: processArgs(config),
      env: imageEnvironment(config.Env ?? [], { home: user.home }),
      cwd: workingDirectory(config),
      capabilities: imageCapabilities(options.capabilities ?? dockerCapabilities),
    },
    root: { path: options.rootPath ?? 'rootfs' },
    mounts: [...(base.mounts ?? []), ...volumes],
    annotations: imageAnnotations(image),
  };
  const rootless = rootlessOptions(options.rootless);
  return rootless === undefined ? spec : rootlessSpec(spec, rootless);
}
