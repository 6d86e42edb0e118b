import { realpathSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseSpec, type RuntimeSpec, requireValidSpec } from '@ocijs/bundle/spec';
import { RuntimeError } from '../errors.ts';
import { configSizeLimit } from '../limits.ts';
import { readRegularFile, UnfitFile } from '../regular-file.ts';
import { exactProfile } from '../seccomp/exact-values.ts';
import type { SeccompProfile } from '../seccomp/types.ts';

/** A bundle whose configuration was read and whose root file system is there. */
export interface LoadedBundle {
  /** Absolute. */
  readonly directory: string;
  /** Absolute, without symbolic links. */
  readonly rootfs: string;
  readonly spec: RuntimeSpec;
  /** The configuration's seccomp profile, with values that JSON numbers of JavaScript cannot hold. */
  readonly seccomp?: SeccompProfile;
}

function unusable(path: string, reason: string, cause?: unknown): RuntimeError {
  return new RuntimeError('ERR_OCI_RUNTIME_BUNDLE_INVALID', `${path} ${reason}`, {
    path,
    cause,
    hint: 'A bundle is a directory with config.json and the root file system that it names.',
  });
}

function readConfig(path: string): Buffer {
  try {
    return readRegularFile(path, { limit: configSizeLimit, followLink: true });
  } catch (error) {
    if (error instanceof UnfitFile) throw unusable(path, error.message, error);
    throw unusable(path, `cannot be read: ${(error as NodeJS.ErrnoException).code}`, error);
  }
}

function findRoot(directory: string, spec: RuntimeSpec): string {
  if (spec.root === undefined) throw unusable(`${directory}/config.json`, 'names no root file system');
  const path = resolve(directory, spec.root.path);
  try {
    const rootfs = realpathSync(path);
    if (statSync(rootfs).isDirectory()) return rootfs;
  } catch (error) {
    throw unusable(
      path,
      `cannot be used as root file system: ${(error as NodeJS.ErrnoException).code}`,
      error,
    );
  }
  throw unusable(path, 'is not a directory');
}

/**
 * Reads a bundle. Throws ERR_OCI_RUNTIME_BUNDLE_INVALID, and the errors of `parseSpec` for its
 * configuration; `spec`, or the file `config`, replaces the bundle's `config.json`.
 */
export function loadRuntimeBundle(
  path: string,
  options: { readonly spec?: RuntimeSpec | undefined; readonly config?: string | undefined } = {},
): LoadedBundle {
  const { spec } = options;
  const directory = resolve(path);
  const raw = spec === undefined ? readConfig(options.config ?? `${directory}/config.json`) : undefined;
  const config = raw === undefined ? requireValidSpec(spec) : parseSpec(raw);
  const profile = config.linux?.seccomp;
  const seccomp = raw === undefined || profile === undefined ? profile : exactProfile(profile, raw);
  return {
    directory,
    rootfs: findRoot(directory, config),
    spec: config,
    ...(seccomp !== undefined && { seccomp }),
  };
}
