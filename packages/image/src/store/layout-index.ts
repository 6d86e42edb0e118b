import { isDeepStrictEqual } from 'node:util';
import type { Descriptor } from '../descriptor.ts';
import { ImageError } from '../errors.ts';
import { parseJson } from '../json/parse.ts';
import { LAYOUT_INDEX_LIMIT } from '../limits.ts';
import { parseDescriptor } from '../manifest/descriptor.ts';
import { MediaType } from '../media-types.ts';
import type { NamedImage } from './store.ts';

/** The annotation that names an entry of `index.json` (image-spec `annotations.md`). */
export const REF_NAME = 'org.opencontainers.image.ref.name';

type JsonObject = Readonly<Record<string, unknown>>;

/** One entry of `index.json`: what we understand of it, and all that is written there. */
interface LayoutEntry {
  readonly descriptor: Descriptor;
  readonly written: JsonObject;
}

/** The `index.json` of a layout; fields that we do not know are kept (image-spec `considerations.md`). */
export interface LayoutIndex {
  readonly entries: readonly LayoutEntry[];
  /** Everything but `manifests`. */
  readonly rest: JsonObject;
}

/** The index of a layout with nothing in it. */
export const emptyLayoutIndex: LayoutIndex = {
  entries: [],
  rest: { schemaVersion: 2, mediaType: MediaType.index },
};

/** Reads `index.json`. Throws ERR_OCI_STORE_INVALID, with `path` in the message. */
export function parseLayoutIndex(raw: Uint8Array, path: string): LayoutIndex {
  try {
    const document = parseJson(raw, { limit: LAYOUT_INDEX_LIMIT, what: path });
    if (!isObject(document)) throw new TypeError('$ is not an object');
    const { manifests, ...rest } = document;
    if (rest['schemaVersion'] !== 2) throw new TypeError('$.schemaVersion is not 2');
    // umoci and other Go programs write null for an empty list.
    if (manifests !== null && !Array.isArray(manifests)) throw new TypeError('$.manifests is not an array');
    const entries = (manifests ?? []).map((value: unknown, index: number) => {
      const descriptor = parseDescriptor(value, `$.manifests[${index}]`);
      if (!isObject(value)) throw new TypeError(`$.manifests[${index}] is not an object`);
      return { descriptor, written: value };
    });
    return { entries, rest };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ImageError('ERR_OCI_STORE_INVALID', `${path} is not the index of an image layout: ${reason}`, {
      path,
      cause: error,
      hint: 'restore the file from a copy, or choose another directory',
    });
  }
}

/** The bytes of `index.json`. */
export function encodeLayoutIndex({ entries, rest }: LayoutIndex): Uint8Array {
  return Buffer.from(JSON.stringify({ ...rest, manifests: entries.map(({ written }) => written) }));
}

/** The name of an entry. */
function nameOf(descriptor: Descriptor): string | undefined {
  return descriptor.annotations?.[REF_NAME];
}

/** The named entries. Of several with one name the first counts, as in {@link findName}. */
export function namedEntries({ entries }: LayoutIndex): NamedImage[] {
  const named = new Map<string, NamedImage>();
  for (const { descriptor } of entries) {
    const name = nameOf(descriptor);
    if (name !== undefined && !named.has(name)) named.set(name, { name, descriptor });
  }
  return [...named.values()];
}

/** The entry of a name. */
export function findName({ entries }: LayoutIndex, name: string): Descriptor | undefined {
  return entries.find(({ descriptor }) => nameOf(descriptor) === name)?.descriptor;
}

/** The index with the name standing for the descriptor, in the place of the name's earlier entry; itself when it does so. */
export function withName(index: LayoutIndex, name: string, descriptor: Descriptor): LayoutIndex {
  const annotations = { ...descriptor.annotations, [REF_NAME]: name };
  const entry = { descriptor: { ...descriptor, annotations }, written: { ...descriptor, annotations } };
  const named = index.entries.filter((other) => nameOf(other.descriptor) === name);
  const [only] = named;
  if (named.length === 1 && isDeepStrictEqual(only?.written, entry.written)) return index;
  const place = only === undefined ? -1 : index.entries.indexOf(only);
  if (place === -1) return { ...index, entries: [...index.entries, entry] };
  const entries = index.entries.map((other, position) => (position === place ? entry : other));
  return {
    ...index,
    entries: entries.filter((other) => other === entry || nameOf(other.descriptor) !== name),
  };
}

/** The index without the name. */
export function withoutName(index: LayoutIndex, name: string): LayoutIndex {
  return { ...index, entries: index.entries.filter(({ descriptor }) => nameOf(descriptor) !== name) };
}

/** Throws ERR_OCI_REFERENCE_INVALID for a text that cannot name an image. */
export function checkName(name: string): void {
  if (/^[!-~]{1,1024}$/.test(name)) return;
  throw new ImageError('ERR_OCI_REFERENCE_INVALID', `image name ${JSON.stringify(name)} is invalid`, {
    reference: name,
    hint: 'a name has 1 to 1024 ASCII characters and no space',
  });
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
