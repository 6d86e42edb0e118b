import { unpack } from '@ocijs/bundle';
import { openLayout } from '@ocijs/image';
import { output } from '../kit/command.ts';
import { debianImage } from '../kit/debian-image.ts';
import { ociProgram } from '../kit/oci.ts';
import { missing } from '../kit/requirements.ts';
import { layersOf } from './layers-of.ts';
import type { Comparison, Contender } from './measure.ts';

/** Unpacking a debootstrapped Debian: this project, umoci, and GNU tar on the layers alone. */
export async function unpackComparison(directory: string): Promise<Comparison | string> {
  const reason = missing({ root: true, commands: ['debootstrap', 'umoci', 'tar', 'setfattr'] });
  if (reason) return reason;
  const { layout, tag } = await debianImage(directory);
  // Every run gets a place of its own, and nothing is removed until the end: ext4 does not give out inodes again that
  // were deleted less than a minute ago, and looks for others one by one, which would be most of what is measured.
  let runs = 0;
  const contender = (name: string, run: (target: string) => Promise<unknown>): Contender => ({
    name,
    run: async () => void (await run(`${directory}/target-${runs++}`)),
  });
  const blobs = (await layersOf(layout)).map((digest) => `${layout}/blobs/${digest.replace(':', '/')}`);
  const extract = (target: string): string =>
    [`mkdir '${target}'`, ...blobs.map((blob) => `tar xzf '${blob}' -C '${target}'`)].join('; ');
  return {
    title: 'unpack: a debootstrapped Debian bookworm, 2 layers',
    contenders: [
      contender('umoci unpack', (target) =>
        output('umoci', ['unpack', '--image', `${layout}:${tag}`, target]),
      ),
      contender('tar xzf', (target) => output('sh', ['-ec', extract(target)])),
      contender('oci unpack', (target) =>
        output(process.execPath, [ociProgram, 'unpack', `oci:${layout}:${tag}`, target]),
      ),
      contender('unpack()', (target) => unpackInProcess(layout, { tag, target })),
    ],
  };
}

async function unpackInProcess(
  layout: string,
  { tag, target }: { tag: string; target: string },
): Promise<void> {
  await using store = await openLayout(layout);
  await unpack(await store.image(tag), target);
}
