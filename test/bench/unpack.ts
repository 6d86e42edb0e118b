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
  const image = await debianImage(directory);
  const title = 'unpack: a debootstrapped Debian bookworm, 2 layers';
  const { contenders } = await compareUnpacking(directory, { title, image, compression: 'gzip' });
  const inProcess = placed(directory, 'unpack()', (target) => unpackInProcess(image, target));
  return { title, contenders: [...contenders, inProcess] };
}

/** What {@link compareUnpacking} compares with. */
export interface UnpackSubject {
  readonly title: string;
  readonly image: { readonly layout: string; readonly tag: string };
  readonly compression: 'gzip' | 'zstd';
}

/** Programs that unpack an image below a directory; umoci, which knows no zstd, is the first for gzip. */
export async function compareUnpacking(
  directory: string,
  { title, image: { layout, tag }, compression }: UnpackSubject,
): Promise<Comparison> {
  const blobs = (await layersOf(layout)).map((digest) => `${layout}/blobs/${digest.replace(':', '/')}`);
  const extract = (target: string): string =>
    [`mkdir '${target}'`, ...blobs.map((blob) => `tar --${compression} -xf '${blob}' -C '${target}'`)].join(
      '; ',
    );
  const umoci = placed(directory, 'umoci unpack', (target) =>
    output('umoci', ['unpack', '--image', `${layout}:${tag}`, target]),
  );
  return {
    title,
    contenders: [
      ...(compression === 'gzip' ? [umoci] : []),
      placed(directory, `tar --${compression} -xf`, (target) => output('sh', ['-ec', extract(target)])),
      placed(directory, 'oci unpack', (target) =>
        output(process.execPath, [ociProgram, 'unpack', `oci:${layout}:${tag}`, target]),
      ),
    ],
  };
}

let places = 0;

/**
 * Every run gets a place of its own, and nothing is removed until the end: ext4 does not give out inodes again that were
 * deleted less than a minute ago, and looks for others one by one, which would be most of what is measured.
 */
function placed(directory: string, name: string, run: (target: string) => Promise<unknown>): Contender {
  return { name, run: async () => void (await run(`${directory}/target-${places++}`)) };
}

async function unpackInProcess({ layout, tag }: UnpackSubject['image'], target: string): Promise<void> {
  await using store = await openLayout(layout);
  await unpack(await store.image(tag), target);
}
