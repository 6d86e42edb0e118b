import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { buildLayer, createMemoryStore, type ImageStore, type TarWriteEntry, writeImage } from '@ocijs/image';
import { playground, type Snapshot, snapshot } from '../../rootfs/testing/snapshot.ts';
import { ownerNoteName } from '../../spec/owner-note.ts';
import { unpack } from '../../unpack/unpack.ts';
import { repack } from '../repack.ts';
import { editRandomly } from './edits.ts';
import { createRandom } from './random.ts';

const time = { mtimeNs: 1_600_000_000_123_456_789n };
const file = (name: string, content: string, fields: object = {}): TarWriteEntry => ({
  header: { name, ...time, ...fields },
  body: Buffer.from(content),
});
const directory = (name: string, fields: object = {}): TarWriteEntry => ({
  header: { name, type: 'directory', ...time, ...fields },
});

/** Layers with a little of everything: links, whiteouts, attributes, odd modes and names, equal sizes and times. */
const layers: readonly (readonly TarWriteEntry[])[] = [
  [
    directory('./', { mode: 0o755 }),
    ...['a', 'b', 'a/deep', 'a/deep/er', 'empty'].map((name) => directory(`${name}/`)),
    ...['a/1', 'a/2', 'b/1', 'b/2', 'a/deep/1', 'a/deep/er/1'].map((name, index) =>
      file(name, `content ${index}`, { uid: index, gid: 10 - index }),
    ),
    file('setuid', 'x', { mode: 0o4755, xattrs: new Map([['user.base', Buffer.from('1')]]) }),
    { header: { name: 'a/link', type: 'link', linkname: 'a/1' } },
    { header: { name: 'b/link', type: 'link', linkname: 'a/1' } },
    { header: { name: 'symlink', type: 'symlink', linkname: 'a/1', ...time } },
    { header: { name: 'fifo', type: 'fifo', ...time } },
    { header: { name: 'device', type: 'character-device', deviceMajor: 1, deviceMinor: 3, ...time } },
    file('b/ü ö', 'odd'),
  ],
  [
    file('a/2', 'replaced'),
    { header: { name: 'b/.wh.2' } },
    file('implied/x', 'y'),
    directory('locked/', { mode: 0o500 }),
  ],
];

/** Stores the image that cases start from. */
export async function baseImage(store: ImageStore): Promise<void> {
  const built = [];
  for (const entries of layers) built.push(await buildLayer(entries));
  await writeImage(store, { layers: built, name: 'base', created: 1_600_000_000 });
}

/** How one case goes. */
export interface RoundTripOptions {
  readonly seed: number;
  readonly rootless: boolean;
}

/**
 * Unpacks, edits, repacks and unpacks again: the result is the edited tree. Twice over, the second time in a bundle
 * that was refreshed. The same edits give the same digest.
 */
export async function roundTrip({ seed, rootless }: RoundTripOptions): Promise<void> {
  const random = createRandom(seed);
  const store = createMemoryStore();
  await baseImage(store);
  using place = playground();
  const bundle = join(place.directory, 'bundle');
  await unpack(await store.image('base'), bundle, { rootless });
  let base = 'base';
  const done: string[] = [];
  for (const round of ['first', 'second']) {
    done.push(round, ...editRandomly(join(bundle, 'rootfs'), { random, owners: !rootless }));
    const expected = snapshot(join(bundle, 'rootfs'));
    const options = { base: await store.image(base), maskVolumes: false };
    const { descriptor } = await repack(bundle, store, { ...options, name: round, refresh: false });
    const again = await repack(bundle, store, { ...options, name: round, refresh: true });
    assert.equal(again.descriptor.digest, descriptor.digest, done.join(' '));
    await assertUnpacksTo(store, { image: round, expected, rootless, place: place.directory, done });
    const idle = await repack(bundle, store, { base: await store.image(round) });
    assert.deepEqual(idle.changes, [], done.join(' '));
    base = round;
  }
}

interface Expectation {
  readonly image: string;
  readonly expected: ReturnType<typeof snapshot>;
  readonly rootless: boolean;
  readonly place: string;
  readonly done: readonly string[];
}

async function assertUnpacksTo(
  store: ImageStore,
  { image, expected, rootless, place, done }: Expectation,
): Promise<void> {
  const target = join(place, 'again');
  await unpack(await store.image(image), target, { rootless });
  assert.deepEqual(
    comparable(snapshot(join(target, 'rootfs'))),
    comparable(expected),
    `after ${done.join(' ')}`,
  );
  rmSync(target, { recursive: true, force: true });
}

/** Without the note who a file belongs to, which a file of the caller's own need not have. */
function comparable(tree: ReadonlyMap<string, Snapshot>): Readonly<Record<string, Snapshot>> {
  return Object.fromEntries(
    [...tree].map(([path, { xattrs, ...file }]) => {
      const { [ownerNoteName]: _owner, ...own } = xattrs ?? {};
      return [path, Object.keys(own).length === 0 ? file : { ...file, xattrs: own }];
    }),
  );
}

/** Runs cases from a seed on. */
export async function runCases({
  from,
  count,
  rootless,
}: {
  readonly from: number;
  readonly count: number;
  readonly rootless: boolean;
}): Promise<void> {
  for (let seed = from; seed < from + count; seed += 1) {
    try {
      await roundTrip({ seed, rootless });
    } catch (error) {
      const mode = rootless ? ', rootless' : '';
      const reason = error instanceof Error ? error.message : String(error);
      throw new Error(`round trip of seed ${seed}${mode}: ${reason}`, { cause: error });
    }
  }
}
