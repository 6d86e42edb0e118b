import { type Descriptor, isIndexType, parseManifestOrIndex, type Store } from '@ocijs/image';
import { closureLimit, factsCache } from './limits.ts';
import { type ServedName, servedNames } from './names.ts';

/** A named manifest of the layout, seen from one of the repositories that it is served in. */
export interface Entry extends ServedName {
  /** The name in `index.json`. */
  readonly name: string;
  readonly descriptor: Descriptor;
}

/** Everything the layout serves; the best-ranked entries first. */
export async function allEntries(store: Store, baseRepository: string): Promise<readonly Entry[]> {
  const images = await store.list();
  return images
    .flatMap(({ name, descriptor }) => {
      let known = served.get(descriptor);
      if (known?.baseRepository !== baseRepository) {
        const entries = servedNames(name, baseRepository).map((one) => ({ ...one, name, descriptor }));
        known = { baseRepository, entries };
        served.set(descriptor, known);
      }
      return known.entries;
    })
    .sort((left, right) => left.rank - right.rank);
}

/** How entries of an index are served: a store returns the same objects until its index changes. */
const served = new WeakMap<
  Descriptor,
  { readonly baseRepository: string; readonly entries: readonly Entry[] }
>();

/** The entries of one repository; the best-ranked first. */
export async function entriesOf(
  { store, baseRepository }: { readonly store: Store; readonly baseRepository: string },
  repository: string,
): Promise<readonly Entry[]> {
  const entries = await allEntries(store, baseRepository);
  return entries.filter((entry) => entry.repository === repository);
}

/** What a stored manifest says of itself and of others. */
export interface ManifestFacts {
  readonly descriptor: Descriptor;
  readonly children: readonly Descriptor[];
  readonly subject?: Descriptor;
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** What a manifest of the store says; it is read verified, unless it was before and is small. */
export async function manifestFacts(
  store: Store,
  { descriptor, signal }: { readonly descriptor: Descriptor; readonly signal: AbortSignal },
): Promise<ManifestFacts> {
  const key = `${descriptor.mediaType} ${descriptor.digest}`;
  const before = known.get(key);
  if (before !== undefined) return before;
  const facts = factsOf(await store.readAll(descriptor, { signal }), descriptor);
  if (descriptor.size > factsCache.manifestSize) return facts;
  const oldest = known.keys().next().value;
  if (known.size >= factsCache.entries && oldest !== undefined) known.delete(oldest);
  known.set(key, facts);
  return facts;
}

/** What manifests say never changes, since a digest names them. */
const known = new Map<string, ManifestFacts>();

/** The facts in a manifest's bytes, which are checked to be a well-formed manifest of the descriptor's media type. */
export function factsOf(raw: Uint8Array, descriptor: Descriptor): ManifestFacts {
  const parsed = parseManifestOrIndex(raw, { mediaType: descriptor.mediaType });
  const document = parsed.kind === 'index' ? parsed.index : parsed.manifest;
  const artifactType =
    document.artifactType || (parsed.kind === 'manifest' ? parsed.manifest.config.mediaType : undefined);
  return {
    descriptor,
    children: parsed.kind === 'index' ? parsed.index.manifests : [],
    ...(document.subject === undefined ? {} : { subject: document.subject }),
    ...(artifactType === undefined ? {} : { artifactType }),
    ...(document.annotations === undefined ? {} : { annotations: document.annotations }),
  };
}

/** Walks the named manifests of a repository and the manifests that their indexes list; each digest once. */
export async function* manifestsOf(
  store: Store,
  { entries, signal }: { readonly entries: readonly Entry[]; readonly signal: AbortSignal },
): AsyncGenerator<Descriptor> {
  const queue = entries.map(({ descriptor }) => descriptor);
  const seen = new Set<string>();
  for (let next = queue.shift(); next !== undefined && seen.size < closureLimit; next = queue.shift()) {
    if (seen.has(next.digest) || (await store.size(next.digest)) === undefined) continue;
    seen.add(next.digest);
    yield next;
    if (isIndexType(next.mediaType))
      queue.push(...(await manifestFacts(store, { descriptor: next, signal })).children);
  }
}
