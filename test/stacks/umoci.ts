import assert from 'node:assert/strict';
import { join } from 'node:path';
import { unpack } from '@ocijs/bundle';
import { buildLayer, createLayout, writeImage } from '@ocijs/image';
import fc from 'fast-check';
import { output } from '../kit/command.ts';
import { temporaryDirectory } from '../kit/temporary.ts';
import { compareTrees, type Difference, describeTree, type TreeEntry } from '../kit/tree.ts';
import { applyOneByOne, archive } from './apply.ts';
import { stackOf } from './arbitrary.ts';

/**
 * Compares with umoci on random stacks that are valid, until there were `stacks` of them. Times of directories are left out: where
 * a directory has no entry, or loses a child to a later layer, umoci leaves the time of the unpack, and nobody can expect that.
 */
export async function compareWithUmoci({
  stacks,
  seed,
}: {
  readonly stacks: number;
  readonly seed: number;
}): Promise<void> {
  let compared = 0;
  for (let round = 0; compared < stacks; round++) {
    const [layers = []] = fc.sample(stackOf({ layers: 6, entries: 8 }), { seed: seed + round, numRuns: 1 });
    await using temporary = await temporaryDirectory();
    const archives = await Promise.all(layers.map(archive));
    if (applyOneByOne(archives, join(temporary.path, 'try')) !== undefined) continue;
    const layout = join(temporary.path, 'layout');
    await using store = await createLayout(layout);
    const built = [];
    for (const layer of layers) built.push(await buildLayer(layer));
    await writeImage(store, { name: 'x', layers: built, config: { Cmd: ['x'] } });
    const theirs = join(temporary.path, 'umoci');
    if (!(await umociUnpacks(`${layout}:x`, theirs))) continue;
    const { rootfs } = await unpack(await store.image('x'), join(temporary.path, 'ours'));
    const ours = await describeTree(rootfs);
    const described = new Set(layers.flatMap((layer) => layer.map(({ header }) => header.name)));
    const found = compareTrees(await describeTree(join(theirs, 'rootfs')), ours);
    const unknown = found.filter((difference) => !isKnown(difference, { tree: ours, described }));
    assert.deepEqual(unknown, [], `seed ${seed + round}`);
    compared += 1;
  }
}

/**
 * umoci 0.4 refuses entries below what was a file in a lower layer; the specification has such a file replaced ("Changeset types:
 * modifications", and umoci since 0.5).
 */
async function umociUnpacks(image: string, directory: string): Promise<boolean> {
  try {
    await output('umoci', ['unpack', '--image', image, directory]);
    return true;
  } catch (error) {
    if (error instanceof Error && /mkdir parent: .*not a directory/.test(error.message)) return false;
    throw error;
  }
}

interface Known {
  readonly tree: readonly TreeEntry[];
  /** Names that have an entry in some layer. */
  readonly described: ReadonlySet<string>;
}

/**
 * Times of directories; and directories without an entry, which with umoci inherit the group of a set-group-id directory, here are
 * root's with mode 0755 wherever they are.
 */
function isKnown({ path, field }: Difference, { tree, described }: Known): boolean {
  if (tree.find((entry) => entry.path === path)?.type !== 'directory') return false;
  return field === 'mtimeNs' || (!described.has(path) && (field === 'mode' || field === 'gid'));
}
