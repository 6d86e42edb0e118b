import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Digest, type ImageStore, isDigest, isOciError, parseReference, type Store } from '@ocijs/image';
import { limits } from './limits.ts';
import { canonicalRegistry } from './names.ts';

/** A repository that is thought to have blobs. */
export interface Location {
  readonly registry: string;
  readonly repository: string;
}

/** `REGISTRY/REPOSITORY`, by digest; the latest last, blobs as well as locations. */
type Locations = Map<string, readonly string[]>;

/**
 * Remembers where blobs of a store are, in `cache/locations.json` beside them, for later pushes to mount them from
 * there. Hints only: the file is bounded, may be deleted, and of two processes that write it at the same time the
 * last one wins. Only a store of one's own remembers, never a layout that is made to be handed on.
 */
export async function rememberLocation(
  store: ImageStore,
  { registry, repository, digests }: Location & { readonly digests: readonly Digest[] },
): Promise<void> {
  const file = await locationFile(store);
  if (file === undefined || digests.length === 0) return;
  const known = await readLocations(file);
  const name = `${canonicalRegistry(registry)}/${repository}`;
  if (digests.every((digest) => known.get(digest)?.at(-1) === name)) return;
  for (const digest of digests) {
    const others = (known.get(digest) ?? []).filter((other) => other !== name);
    known.delete(digest);
    known.set(digest, [...others, name].slice(-limits.locations));
  }
  const kept = [...known].slice(-limits.locatedBlobs);
  const temporary = `${file}.${randomUUID()}`;
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    await writeFile(temporary, JSON.stringify(Object.fromEntries(kept)), { mode: 0o600, flag: 'wx' });
    await rename(temporary, file);
  } catch (error) {
    // A store that cannot be written to serves all the same, without hints.
    if (!isSystemError(error)) throw error;
    await rm(temporary, { force: true }).catch(() => undefined);
  }
}

/** The repositories of a registry that are thought to have a blob, the latest first; never one of another registry. */
export async function locationsIn(
  store: ImageStore,
  registry: string,
): Promise<(digest: Digest) => readonly string[]> {
  const file = await locationFile(store);
  const known = file === undefined ? new Map<string, readonly string[]>() : await readLocations(file);
  const wanted = canonicalRegistry(registry);
  return (digest) =>
    [...(known.get(digest) ?? [])].reverse().flatMap((name) => {
      const found = parseLocation(name);
      return found?.registry === wanted ? [found.repository] : [];
    });
}

async function locationFile(store: ImageStore): Promise<string | undefined> {
  if (!hasDirectory(store)) return undefined;
  const { mode } = await stat(store.directory);
  return (mode & 0o077) === 0 ? join(store.directory, 'cache', 'locations.json') : undefined;
}

function hasDirectory(store: ImageStore): store is Store {
  return 'directory' in store && typeof store.directory === 'string';
}

/** What is there; nothing when it is no such file, or a damaged one. */
async function readLocations(file: string): Promise<Locations> {
  let value: unknown;
  try {
    const { size } = await stat(file);
    if (size > limits.locationFileBytes) return new Map();
    value = JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    if (error instanceof SyntaxError || isSystemError(error)) return new Map();
    throw error;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return new Map();
  return new Map(
    Object.entries(value).flatMap(([digest, names]: [string, unknown]) => {
      if (!isDigest(digest) || !Array.isArray(names)) return [];
      const texts = names.filter((name: unknown): name is string => typeof name === 'string');
      return [[digest, texts.slice(-limits.locations)]];
    }),
  );
}

/** A name from the file, checked: it becomes part of a request. */
function parseLocation(name: string): Location | undefined {
  try {
    const { registry, repository } = parseReference(name);
    return { registry: canonicalRegistry(registry), repository };
  } catch (error) {
    if (isOciError(error)) return undefined;
    throw error;
  }
}

function isSystemError(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error;
}
