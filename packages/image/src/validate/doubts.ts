import { createHash } from 'node:crypto';
import type { TarEntry } from '../tar/entry.ts';
import { quoteName } from '../tar/failure.ts';

/** More than so many reasons say nothing new. */
const reasonsLimit = 20;

/** Why readers may see different files in a layer. */
export interface Doubts {
  readonly reasons: readonly string[];
  add(reason: string): void;
  /** Looks whether its path was there before. */
  entry(header: Pick<TarEntry, 'name' | 'nameBytes' | 'type'>): void;
}

/**
 * Collects doubts about a layer. A path that comes twice is one: the last entry counts for who unpacks, and for some who only
 * look it is the first. A directory may come again.
 */
export function createDoubts(): Doubts {
  const reasons: string[] = [];
  const files = new Set<number>();
  const directories = new Set<number>();
  const add = (reason: string): void => {
    if (reasons.length < reasonsLimit && !reasons.includes(reason)) reasons.push(reason);
  };
  return {
    reasons,
    add,
    entry({ name, nameBytes, type }) {
      const path = keyOf(nameBytes ?? Buffer.from(name));
      const isAgain = files.has(path) || (type !== 'directory' && directories.has(path));
      if (isAgain) add(`${quoteName(name)} is in it twice`);
      (type === 'directory' ? directories : files).add(path);
    },
  };
}

/** A number for a path: a million of them take 40 MB, and two of a million are the same once in 18,000 layers. */
function keyOf(name: Buffer): number {
  const hash = createHash('sha256')
    .update(cleaned(name.toString('latin1')), 'latin1')
    .digest();
  return hash.readUIntBE(0, 6) * 32 + ((hash[6] ?? 0) & 31);
}

/** As whoever unpacks cleans it: below the root. */
function cleaned(name: string): string {
  const parts: string[] = [];
  for (const part of name.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return parts.join('/');
}
