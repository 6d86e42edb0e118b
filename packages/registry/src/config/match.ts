import { parseReference, type Reference } from '@ocijs/image';
import type { RegistryEntry } from './registries-conf.ts';

/** How many characters of a reference's full name a prefix matches, by whole components; -1 for none. */
export function matchPrefix(name: string, prefix: string): number {
  if (prefix.startsWith('*.')) {
    const host = /^[^:/@]*/.exec(name)?.[0] ?? '';
    return host.length >= prefix.length && host.endsWith(prefix.slice(1)) ? host.length : -1;
  }
  if (!name.startsWith(prefix)) return -1;
  const next = name.charAt(prefix.length);
  return next === '' || ':/@'.includes(next) ? prefix.length : -1;
}

/** An entry and how much of a name it matches. */
export interface EntryMatch {
  readonly entry: RegistryEntry;
  readonly length: number;
}

/** The entry with the longest prefix that matches a name. */
export function findEntry(entries: readonly RegistryEntry[], name: string): EntryMatch | undefined {
  let best: EntryMatch | undefined;
  for (const entry of entries) {
    const length = matchPrefix(name, entry.prefix);
    const isLonger = best === undefined || entry.prefix.length > best.entry.prefix.length;
    if (length >= 0 && isLonger) best = { entry, length };
  }
  return best;
}

/** Puts a location in the place of the matched prefix. Throws ERR_OCI_REFERENCE_INVALID when no reference results. */
export function rewriteName(
  name: string,
  { length, location }: { readonly length: number; readonly location: string },
): Reference {
  return parseReference(location === '' ? name : location + name.slice(length));
}
