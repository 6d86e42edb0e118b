import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { repack } from '@ocijs/bundle';
import { openLayout } from '@ocijs/image';
import { output } from '../kit/command.ts';
import { debianImage } from '../kit/debian-image.ts';
import { ociProgram } from '../kit/oci.ts';
import { missing } from '../kit/requirements.ts';
import type { Comparison, Contender } from './measure.ts';

/** What is copied within the bundle: most of a Debian. */
const addition = 'usr/lib usr/bin usr/share';

/**
 * The way back: a Debian bundle in which most files have a copy. umoci compares the whole bundle and compresses; pigz
 * compresses the same files alone, which is the limit.
 */
export async function repackComparison(directory: string): Promise<Comparison | string> {
  const reason = missing({ root: true, commands: ['debootstrap', 'umoci', 'tar', 'pigz', 'setfattr'] });
  if (reason) return reason;
  const { layout, tag } = await debianImage(directory);
  const theirs = `${directory}/umoci`;
  const ours = `${directory}/ours`;
  await output('umoci', ['unpack', '--image', `${layout}:${tag}`, theirs]);
  await output(process.execPath, [ociProgram, 'unpack', `oci:${layout}:${tag}`, ours]);
  for (const bundle of [theirs, ours])
    await output('sh', ['-ec', `mkdir copy; cp -a ${addition} copy/; echo changed >> etc/passwd`], {
      cwd: `${bundle}/rootfs`,
    });
  const archive = `${directory}/copy.tar`;
  await output('tar', ['-cf', archive, '-C', `${ours}/rootfs`, 'copy']);
  // Each starts from the same layout.
  const fresh = `${directory}/fresh`;
  const prepare = async (): Promise<void> => {
    await rm(fresh, { recursive: true, force: true });
    await mkdir(fresh);
    await cp(layout, `${fresh}/layout`, { recursive: true });
  };
  const image = `${fresh}/layout:new`;
  const contender = (name: string, run: () => Promise<unknown>): Contender => ({
    name,
    prepare,
    run: async () => void (await run()),
  });
  const umociState = await readFile(`${theirs}/umoci.json`);
  return {
    title: 'repack: a Debian bundle with a copy of its own files, gzip',
    contenders: [
      contender('umoci repack', async () => {
        await output('umoci', ['repack', '--image', image, theirs]);
        await writeFile(`${theirs}/umoci.json`, umociState);
      }),
      contender('tar | pigz', () =>
        output('sh', ['-c', `tar -cf - -C '${ours}/rootfs' copy | pigz > '${fresh}/layer.tar.gz'`]),
      ),
      contender('oci repack', () =>
        output(process.execPath, [ociProgram, 'repack', ours, `oci:${fresh}/layout:new`]),
      ),
      contender('oci append', () =>
        output(process.execPath, [
          ociProgram,
          'append',
          `oci:${fresh}/layout:${tag}`,
          `oci:${fresh}/layout:new`,
          archive,
        ]),
      ),
      contender('repack()', async () => {
        await using store = await openLayout(`${fresh}/layout`);
        await repack(ours, store, { base: await store.image(tag), name: 'new' });
      }),
    ],
  };
}
