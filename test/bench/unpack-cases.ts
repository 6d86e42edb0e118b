import { missing } from '../kit/requirements.ts';
import type { Comparison } from './measure.ts';
import { compareUnpacking } from './unpack.ts';
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
    const image = await make(directory);
    return compareUnpacking(directory, { title: `unpack: ${what}`, image, compression });
  };
}
