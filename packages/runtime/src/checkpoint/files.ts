import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { RuntimeError } from '../errors.ts';
import { checkpointFileLimit } from '../limits.ts';
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

/** Makes the directories for images and logs; an absolute path each. */
export function prepareDirectories(options: {
  readonly imagePath: string;
  readonly workPath?: string | undefined;
}): { readonly images: string; readonly work: string } {
  const images = resolve(options.imagePath);
  const work = options.workPath ? resolve(options.workPath) : images;
  mkdirSync(images, { recursive: true, mode: 0o700 });
  mkdirSync(work, { recursive: true, mode: 0o700 });
  return { images, work };
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

function readJson(path: string): unknown {
  const text = readFileSync(path);
  if (text.length > checkpointFileLimit) throw new RangeError(`${path} is too large`);
  return JSON.parse(text.toString('utf8'));
}

function isMount(value: unknown): value is ExternalMount {
  const { path, source } = (value ?? {}) as Partial<ExternalMount>;
  return typeof path === 'string' && typeof source === 'string';
}

/** What a checkpoint keeps besides criu's images. Throws ERR_OCI_CHECKPOINT_INVALID when that is not there or not readable. */
export function readFacts(images: string): CheckpointFacts {
  try {
    const descriptors = readJson(join(images, descriptorsFile));
    const facts = readJson(join(images, factsFile)) as { mounts?: unknown; hasTerminal?: unknown };
    if (!Array.isArray(descriptors) || !descriptors.every((one) => typeof one === 'string'))
      throw new TypeError(descriptorsFile);
    if (!Array.isArray(facts.mounts) || !facts.mounts.every(isMount)) throw new TypeError(factsFile);
    return { descriptors, mounts: facts.mounts, hasTerminal: facts.hasTerminal === true };
  } catch (cause) {
    throw new RuntimeError(
      'ERR_OCI_CHECKPOINT_INVALID',
      `${images} holds no checkpoint of a container: ${(cause as Error).message}`,
      {
        path: images,
        cause,
      },
    );
  }
}

/** Where criu is looked for. */
const directories = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

/** The program criu. Throws ERR_OCI_CRIU_MISSING. */
export function findCriu(given: string | undefined): string {
  const candidates = given ? [resolve(given)] : directories.map((directory) => join(directory, 'criu'));
  for (const path of candidates.filter(existsSync)) {
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Not for us: the next place.
    }
  }
  throw new RuntimeError('ERR_OCI_CRIU_MISSING', `criu is not installed${given ? `: ${given}` : ''}`, {
    ...(given && { path: given }),
    hint: 'Install the package criu, or name the program in $OCI_CRIU.',
  });
}

/** What a log of criu says last of errors, for a message. */
export function logErrors(work: string, file: string): string {
  try {
    const lines = readFileSync(join(work, file), 'utf8').split('\n');
    return lines
      .filter((line) => /Error \(/.test(line))
      .slice(-4)
      .map((line) => line.trim())
      .join('; ');
  } catch {
    // criu ended before it wrote any.
    return '';
  }
}
