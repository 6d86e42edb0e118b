import { applyAttributes } from './attributes.ts';
import { clobber } from './clobber.ts';
import { createEntry } from './create.ts';
import type { EntryContext } from './entry-context.ts';
import { findLinkSource } from './link-source.ts';
import { applyMode, applyOwner, applyTimes } from './metadata.ts';
import { makeDirectories } from './parents.ts';
import { applyWhiteout, parseWhiteout } from './whiteout.ts';

/** One step of applying an entry. `'done'` ends the entry: the steps behind do not apply to it. */
export interface EntryStep {
  readonly name: string;
  run(entry: EntryContext): 'done' | undefined;
}

/** What happens to an entry before its content is written, in this order. */
export const stepsBeforeContent: readonly EntryStep[] = [
  { name: 'whiteout', run: whiteout },
  { name: 'parent', run: resolveParent },
  { name: 'link-source', run: findLinkSource },
  { name: 'clobber', run: clobber },
  { name: 'create', run: createEntry },
  { name: 'remember', run: remember },
];

/** What happens to an entry once its content is there; set-id bits after the owner, since a new owner clears them. */
export const stepsAfterContent: readonly EntryStep[] = [
  { name: 'owner', run: applyOwner },
  { name: 'mode', run: applyMode },
  { name: 'attributes', run: applyAttributes },
  { name: 'times', run: applyTimes },
];

function whiteout({ layer, path, base }: EntryContext): 'done' | undefined {
  const found = parseWhiteout(base);
  if (found === undefined) return undefined;
  applyWhiteout(layer, found, path.slice(0, -1));
  return 'done';
}

function resolveParent(entry: EntryContext): undefined {
  entry.parent = makeDirectories(entry.layer, entry.path.slice(0, -1));
}

function remember({ layer, parent, base, path }: EntryContext): undefined {
  if (path.length > 0) layer.tree.markUpper(parent, base);
}
