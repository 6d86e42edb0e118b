import { createCipheriv } from 'node:crypto';
import { buildLayer, type Descriptor, type Store, writeImage, writeIndex } from '@ocijs/image';

/** An image to move, under this tag. */
export interface Cargo {
  readonly tag: string;
  readonly descriptor: Descriptor;
  readonly allPlatforms: boolean;
}

/** One large enough to be fetched in pieces; used seldom. */
const LARGE = 36_000_000;

/** Writes images of different shapes: a tiny layer, a few, many, one empty, several platforms, a large layer. */
export async function writeCargo(store: Store): Promise<readonly [Cargo, ...Cargo[]]> {
  const image = async (tag: string, sizes: readonly number[]): Promise<Cargo> => {
    const layers = await Promise.all(sizes.map((size, place) => layerOf(`${tag} ${place}`, size)));
    return {
      tag,
      descriptor: await writeImage(store, { layers, name: `team/app:${tag}` }),
      allPlatforms: false,
    };
  };
  const platforms = await Promise.all(
    ['amd64', 'arm64'].map(async (architecture) =>
      writeImage(store, {
        layers: [await layerOf(architecture, 60_000), await layerOf('shared', 20_000)],
        platform: { os: 'linux', architecture },
      }),
    ),
  );
  const index = await writeIndex(store, { manifests: platforms, name: 'team/app:index' });
  return [
    await image('few', [1_000, 50_000, 400_000]),
    await image('tiny', [10]),
    await image(
      'many',
      Array.from({ length: 9 }, (_, place) => 5_000 * (place + 1)),
    ),
    { tag: 'index', descriptor: index, allPlatforms: true },
    await image('medium', [1_500_000]),
    await image('large', [LARGE, 100]),
  ];
}

async function layerOf(seed: string, size: number) {
  const key = Buffer.alloc(16, seed);
  const body = createCipheriv('aes-128-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(size));
  const header = { name: 'noise', type: 'file' as const, mode: 0o644, size };
  return buildLayer([{ header, body }], { compression: 'none' });
}
