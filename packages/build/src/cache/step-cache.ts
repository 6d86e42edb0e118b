import { createHash, randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type Descriptor,
  type Digest,
  type DraftLayer,
  isDigest,
  parseDescriptor,
  type Store,
} from '@ocijs/image';

/** What a step made: a layer, or nothing. */
export interface StepResult {
  readonly layer: DraftLayer | undefined;
}

/** Remembers what steps made, across builds and processes. */
export interface StepCache {
  /** The result of an earlier step of this key whose layer is still in the store. */
  find(key: string): Promise<StepResult | undefined>;
  keep(key: string, result: StepResult): Promise<void>;
}

/**
 * The key of a step: the layers that it starts from and all that goes into it. Times and secrets take no part.
 *
 * `inputs` must be plain data whose order of members is fixed.
 */
export function stepKey(lower: readonly Digest[], inputs: unknown): string {
  return createHash('sha256')
    .update(JSON.stringify({ version: 1, lower, inputs }))
    .digest('hex');
}

/** A record of a result is small; more is damage. */
const MAX_RECORD_CHARACTERS = 64 * 1024;

/** Opens the cache that belongs to a store: small files beside its blobs. What the garbage collection took is not found. */
export function openStepCache(store: Store): StepCache {
  const directory = join(store.directory, 'build-cache');
  const place = (key: string): string => join(directory, `${key}.json`);
  return {
    async find(key) {
      const text = await readFile(place(key), 'utf8').catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return '';
        throw error;
      });
      const result = parseRecord(text);
      if (result?.layer === undefined) return result;
      const { descriptor } = result.layer;
      return (await store.size(descriptor.digest)) === descriptor.size ? result : undefined;
    },
    async keep(key, { layer }) {
      await mkdir(directory, { recursive: true, mode: 0o700 });
      const temporary = `${place(key)}.${randomBytes(6).toString('hex')}`;
      try {
        await writeFile(temporary, JSON.stringify({ layer: layer ?? null }), { mode: 0o600 });
        await rename(temporary, place(key));
      } catch (error) {
        await rm(temporary, { force: true });
        throw error;
      }
    },
  };
}

/** A record that is damaged is none: the step runs again. */
function parseRecord(text: string): StepResult | undefined {
  if (text === '' || text.length > MAX_RECORD_CHARACTERS) return undefined;
  try {
    const { layer } = JSON.parse(text) as { layer?: { descriptor?: unknown; diffId?: unknown } | null };
    if (layer === null) return { layer: undefined };
    const descriptor: Descriptor = parseDescriptor(layer?.descriptor, '$.layer.descriptor');
    const diffId = layer?.diffId;
    return typeof diffId === 'string' && isDigest(diffId) ? { layer: { descriptor, diffId } } : undefined;
  } catch {
    // Whatever is wrong with it, running the step is right.
    return undefined;
  }
}
