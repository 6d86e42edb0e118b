import { output } from '../kit/command.ts';
import { ociProgram } from '../kit/oci.ts';
import { missing } from '../kit/requirements.ts';
import { layersOf } from './layers-of.ts';
import type { Comparison, Contender } from './measure.ts';
import {
  type Compression,
  largeImage,
  layeredImage,
  manyFilesImage,
  type UnpackImage,
} from './unpack-images.ts';

/** Unpacking images of other shapes than {@link import('./unpack.ts').unpackComparison}'s. */
export const unpackCases: Readonly<Record<string, (directory: string) => Promise<Comparison | string>>> = {
  'unpack-gzip': compare('a Debian with gcc in one layer, gzip', 'gzip', (directory) =>
    largeImage(directory, 'gzip'),
  ),
  'unpack-zstd': compare('the same, zstd', 'zstd', (directory) => largeImage(directory, 'zstd')),
  'unpack-layers': compare('the same in 20 layers, gzip', 'gzip', layeredImage),
  'unpack-files': compare('100,000 files of 500 bytes, gzip', 'gzip', manyFilesImage),
};

function compare(
  what: string,
  compression: Compression,
  make: (directory: string) => Promise<UnpackImage>,
): (directory: string) => Promise<Comparison | string> {
  return async (directory) => {
    const reason = missing({ root: true, commands: ['debootstrap', 'umoci', 'tar', 'zstd'] });
    if (reason) return reason;
    const { layout, tag } = await make(directory);
    // As in unpack.ts: each run has a place of its own, since ext4 is slow at giving out inodes again.
    let runs = 0;
    const contender = (name: string, run: (target: string) => Promise<unknown>): Contender => ({
      name,
      run: async () => void (await run(`${directory}/target-${runs++}`)),
    });
    const blobs = (await layersOf(layout)).map((digest) => `${layout}/blobs/${digest.replace(':', '/')}`);
    const extract = (target: string): string =>
      [`mkdir '${target}'`, ...blobs.map((blob) => `tar --${compression} -xf '${blob}' -C '${target}'`)].join(
        '; ',
      );
    const umoci = contender('umoci unpack', (target) =>
      output('umoci', ['unpack', '--image', `${layout}:${tag}`, target]),
    );
    return {
      title: `unpack: ${what}`,
      contenders: [
        // umoci 0.4 does not know zstd.
        ...(compression === 'gzip' ? [umoci] : []),
        contender(`tar --${compression} -xf`, (target) => output('sh', ['-ec', extract(target)])),
        contender('oci unpack', (target) =>
          output(process.execPath, [ociProgram, 'unpack', `oci:${layout}:${tag}`, target]),
        ),
      ],
    };
  };
}
