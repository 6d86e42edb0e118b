import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { unpack } from '@ocijs/bundle';
import { buildLayer, createLayout, isOciError, writeImage } from '@ocijs/image';
import fc from 'fast-check';
import { temporaryDirectory } from '../kit/temporary.ts';
import { compareTrees, describeTree } from '../kit/tree.ts';
import { applyOneByOne, archive } from './apply.ts';
import { type StackLayer, stackOf } from './arbitrary.ts';

/** Incompressible: with it an image is large enough for several threads. */
const ballast = randomBytes(4 * 1024 * 1024 + 1);

/** How many stacks are tried, and from which seed. */
export interface StackRun {
  readonly runs: number;
  readonly seed?: number;
  /** With a large file in the first layer, so that threads share the work; without it one does everything. */
  readonly large: boolean;
}

/** Unpacks random stacks, and applies the same layers one by one: both must make the same tree, or fail alike. */
export async function compareWithOneByOne({
  runs,
  seed,
  large,
}: StackRun): Promise<{ readonly valid: number }> {
  let valid = 0;
  await fc.assert(
    fc.asyncProperty(stackOf({ layers: 20, entries: 12 }), async (random) => {
      await using temporary = await temporaryDirectory();
      const layers: readonly StackLayer[] = large ? [[ballastEntry()], ...random] : random;
      const sequential = join(temporary.path, 'sequential');
      const expected = applyOneByOne(await Promise.all(layers.map(archive)), sequential);
      await using store = await createLayout(join(temporary.path, 'layout'));
      const built = [];
      for (const layer of layers) built.push(await buildLayer(layer, { compression: 'none' }));
      await writeImage(store, { name: 'x', layers: built, config: {} });
      const { code, rootfs } = await tryUnpack(await store.image('x'), join(temporary.path, 'bundle'));
      assert.equal(code, expected);
      if (rootfs === undefined) return;
      valid += 1;
      const [ours, theirs] = await Promise.all([describeTree(rootfs), describeTree(sequential)]);
      const differences = compareTrees(theirs, ours).filter(
        // The root directory of the sequential tree was not made by an unpack.
        ({ path, field }) => !(path === '.' && field === 'mtimeNs'),
      );
      assert.deepEqual(differences, []);
    }),
    { numRuns: runs, ...(seed === undefined ? {} : { seed }), endOnFailure: large },
  );
  return { valid };
}

function ballastEntry(): StackLayer[number] {
  return { header: { name: 'ballast', type: 'file', mtimeNs: 0n }, body: ballast };
}

async function tryUnpack(
  image: Parameters<typeof unpack>[0],
  directory: string,
): Promise<{ readonly code: string | undefined; readonly rootfs?: string }> {
  try {
    const { rootfs } = await unpack(image, directory);
    return { code: undefined, rootfs };
  } catch (error) {
    if (isOciError(error)) return { code: error.code };
    throw error;
  }
}
