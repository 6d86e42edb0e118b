import type { ImageSource } from '@ocijs/image';
import {
  characterDevice,
  directory,
  fifo,
  file,
  link,
  symlink,
  type TestEntry,
} from '../../rootfs/testing/entries.ts';
import { layerOf, memoryImage, tarBytes } from '../../unpack/testing/memory-image.ts';

const first: readonly TestEntry[] = [
  directory('./', { mode: 0o751, mtimeNs: 1_111_111_111_222_222_222n }),
  directory('bin', { mode: 0o3777, uid: 3, gid: 4 }),
  file('bin/a', 'a', { mode: 0o4755, uid: 3, gid: 4, xattrs: { 'user.note': 'x' } }),
  link('bin/b', 'bin/a'),
  file('bin/closed', 'closed', { mode: 0o000, mtimeNs: 1_234_567_890_123_456_789n }),
  symlink('link', 'bin/a'),
  fifo('fifo'),
  characterDevice('null', { deviceMajor: 1, deviceMinor: 3 }),
  directory('locked', { mode: 0o500 }),
  file('locked/in', 'in'),
  directory('empty', { mode: 0o755 }),
  file('large', 'x'.repeat(100_000)),
  file('gone', 'gone'),
];
const second: readonly TestEntry[] = [file('.wh.gone'), file('bin/c', 'c'), link('bin/d', 'bin/a')];

/** A file of each kind, and a layer that changes some. */
export const sampleLayers: readonly [readonly TestEntry[], readonly TestEntry[]] = [first, second];

/** An image with a file of each kind, in two layers; the same each time. */
export async function sampleImage(): Promise<ImageSource> {
  const layers = sampleLayers.map(async (entries) => layerOf(await tarBytes(entries)));
  return memoryImage(await Promise.all(layers));
}
