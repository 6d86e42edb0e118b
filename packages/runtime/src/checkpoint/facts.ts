import { readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { RuntimeError } from '../errors.ts';
import { checkpointFileLimit } from '../limits.ts';
import { containerPath } from '../plan/mount-targets.ts';
import { readRegularFile } from '../regular-file.ts';
import type { ExternalMount } from './mounts.ts';

/** What a restore has to know besides criu's images; kept beside them, under the name that runc uses for its part. */
export interface CheckpointFacts {
  /** Where the container's standard streams led: `pipe:[123]` and the like. */
  readonly descriptors: readonly string[];
  readonly mounts: readonly ExternalMount[];
  readonly hasTerminal: boolean;
}

const descriptorsFile = 'descriptors.json';
const factsFile = 'oci-runtime.json';

/** Where the standard streams of a process lead. */
export function streamTargets(pid: number): string[] {
  return [0, 1, 2].map((fd) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${fd}`);
    } catch (error) {
      // A process may have closed it.
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
      throw error;
    }
  });
}

/** Writes what `readFacts` reads. */
export function writeFacts(images: string, facts: CheckpointFacts): void {
  const options = { mode: 0o600 };
  writeFileSync(join(images, descriptorsFile), JSON.stringify(facts.descriptors), options);
  writeFileSync(
    join(images, factsFile),
    JSON.stringify({ mounts: facts.mounts, hasTerminal: facts.hasTerminal }),
    options,
  );
}

function invalid(path: string, reason: string, cause?: unknown): RuntimeError {
  return new RuntimeError('ERR_OCI_CHECKPOINT_INVALID', `no checkpoint of a container: ${path} ${reason}`, {
    path,
    cause,
    hint: 'Name the directory that checkpoint wrote to with --image-path.',
  });
}

function readJson(path: string): unknown {
  let bytes: Buffer;
  try {
    bytes = readRegularFile(path, { limit: checkpointFileLimit });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw invalid(path, code === undefined ? message : `cannot be read: ${code}`, error);
  }
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch (error) {
    throw invalid(path, 'is no JSON', error);
  }
}

/** A path as the kernel writes it: anything else would not be what it seems to be. */
function isMount(value: unknown): value is ExternalMount {
  const { path, source } = (value ?? {}) as Partial<ExternalMount>;
  const isPath = typeof path === 'string' && path === containerPath(path) && path !== '/';
  return isPath && typeof source === 'string';
}

/** What a checkpoint keeps besides criu's images. Throws ERR_OCI_CHECKPOINT_INVALID when that is not there or not readable. */
export function readFacts(images: string): CheckpointFacts {
  const descriptors = readJson(join(images, descriptorsFile));
  if (!Array.isArray(descriptors) || !descriptors.every((one) => typeof one === 'string'))
    throw invalid(join(images, descriptorsFile), 'is no list of texts');
  const path = join(images, factsFile);
  const { mounts, hasTerminal } = (readJson(path) ?? {}) as Partial<Record<string, unknown>>;
  if (!Array.isArray(mounts)) throw invalid(path, 'names no mounts');
  const index = mounts.findIndex((mount) => !isMount(mount));
  if (index !== -1) throw invalid(path, `has no usable path and source in $.mounts[${index}]`);
  return { descriptors, mounts, hasTerminal: hasTerminal === true };
}
