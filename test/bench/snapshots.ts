import { rm } from 'node:fs/promises';
import { prepareRootfs, releaseRootfs, unpack } from '@ocijs/bundle';
import { openLayout } from '@ocijs/image';
import { debianImage } from '../kit/debian-image.ts';
import { missing } from '../kit/requirements.ts';
import type { Comparison, Contender } from './measure.ts';

/** What a container or a bundle of an image takes whose layers were unpacked before. Shared blocks take XFS or btrfs. */
export async function snapshotComparison(directory: string): Promise<Comparison | string> {
  const reason = missing({ root: true, commands: ['debootstrap', 'umoci', 'setfattr'] });
  if (reason) return reason;
  const { layout, tag } = await debianImage(directory);
  const store = await openLayout(layout);
  const image = await store.image(tag);
  const snapshots = `${directory}/snapshots`;
  let runs = 0;
  const contender = (name: string, run: (target: string) => Promise<unknown>): Contender => ({
    name,
    run: async () => void (await run(`${directory}/target-${runs++}`)),
  });
  let mounted = '';
  const prepare = (target: string) => prepareRootfs(image, target, { snapshots, temporary: true });
  await prepare(`${directory}/first`);
  await releaseRootfs(`${directory}/first`);
  return {
    title: 'snapshots: a Debian image whose layers are there',
    contenders: [
      contender('unpack(), cold', (target) => unpack(image, target)),
      contender('unpack() of snapshots', (target) => unpack(image, target, { snapshots })),
      {
        name: 'prepareRootfs(), mounted',
        async run() {
          mounted = `${directory}/target-${runs++}`;
          await prepare(mounted);
        },
        async cleanUp() {
          await releaseRootfs(mounted);
          await rm(mounted, { recursive: true });
        },
      },
    ],
    close: async () => store[Symbol.asyncDispose](),
  };
}
