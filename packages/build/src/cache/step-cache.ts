import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { type Digest, type DraftLayer, isDigest, parseDescriptor, type Store } from '@ocijs/image';
import type { ImportedCaches } from './imported-caches.ts';
import { readRecord, writeRecord } from './records.ts';
import type { StepLayer, StepLayers } from './step-layers.ts';

/** What a step made: a layer, or nothing. */
export interface StepResult {
  readonly layer: StepLayer | undefined;
}

/** Remembers what steps made, across builds and processes. */
export interface StepCache {
  /** The result of an earlier step of this key, over the same layers, if its layer still is somewhere. */
  find(
    key: string,
    lower: readonly Digest[],
    options?: Pick<NotedStep, 'isSecond'>,
  ): Promise<StepResult | undefined>;
  keep(key: string, result: StepResult & Omit<NotedStep, 'key' | 'result'>): Promise<void>;
  /** What was found and kept, once for each key. */
  readonly noted: Iterable<NotedStep>;
}

/** A step of this build. */
export interface NotedStep {
  readonly key: string;
  /** The layers below it. */
  readonly lower: readonly Digest[];
  readonly result: StepResult;
  /** The step has another key, by which it is found at less cost; whether this one is known, too, depends on what was there. */
  readonly isSecond?: boolean;
}

export interface StepCacheOptions {
  readonly layers: StepLayers;
  /** Caches that may know what this one does not. */
  readonly imported?: ImportedCaches | undefined;
}

/**
 * The key of a step: the layers that it starts from and all that goes into it. Times and secrets take no part.
 *
 * `inputs` must be plain data whose order of members is fixed.
 */
export function stepKey(lower: readonly Digest[], inputs: unknown): string {
  return createHash('sha256')
    .update(JSON.stringify({ version: 2, lower, inputs }))
    .digest('hex');
}

/** Opens the cache that belongs to a store: small files beside its blobs. What the garbage collection took is not found. */
export function openStepCache(store: Store, { layers, imported }: StepCacheOptions): StepCache {
  const place = (key: string): string => join(store.directory, 'build-cache', `${key}.json`);
  const noted = new Map<string, NotedStep>();

  async function findHere(key: string, lower: readonly Digest[]): Promise<StepResult | undefined> {
    const result = parseResult(await readRecord(place(key)));
    if (result?.layer === undefined) return result;
    return (await layers.isThere(result.layer, lower)) ? result : undefined;
  }

  return {
    async find(key, lower, { isSecond = false } = {}) {
      const result = (await findHere(key, lower)) ?? imported?.find(key);
      if (result !== undefined) noted.set(key, { key, lower, isSecond, result: { layer: result.layer } });
      return result;
    },
    async keep(key, { layer, lower, isSecond = false }) {
      await writeRecord(place(key), { layer: layer ?? null });
      noted.set(key, { key, lower, isSecond, result: { layer } });
    },
    noted: { [Symbol.iterator]: () => noted.values() },
  };
}

/** A record of another form is none: the step runs again. */
export function parseResult(record: unknown): StepResult | undefined {
  if (typeof record !== 'object' || record === null || !('layer' in record)) return undefined;
  const { layer } = record;
  if (layer === null) return { layer: undefined };
  const parsed = parseStepLayer(layer);
  return parsed === undefined ? undefined : { layer: parsed };
}

function parseStepLayer(value: unknown): StepLayer | undefined {
  const { descriptor, diffId, isUpper = false } = (value ?? {}) as Partial<Record<keyof StepLayer, unknown>>;
  if (typeof diffId !== 'string' || !isDigest(diffId) || typeof isUpper !== 'boolean') return undefined;
  try {
    const layer: DraftLayer = { descriptor: parseDescriptor(descriptor, '$.layer.descriptor'), diffId };
    return isUpper ? { ...layer, isUpper } : layer;
  } catch {
    // Whatever is wrong with it, running the step is right.
    return undefined;
  }
}
