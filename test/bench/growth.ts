import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import {
  buildLayer,
  checkStore,
  collectGarbage,
  type Descriptor,
  encodeJson,
  type Index,
  MediaType,
  openStore,
  type Store,
  writeImage,
} from '@ocijs/image';
import { listTags, pull } from '@ocijs/registry';
import { startRegistry } from '@ocijs/registry/server';

/** How the time of something grows with its size. */
export interface Growth {
  readonly title: string;
  readonly points: readonly { readonly size: number; readonly milliseconds: number }[];
  /** Of the line through the points, both axes logarithmic: 1 is linear, 2 is quadratic. */
  readonly slope: number;
}

/** Measures what must not grow faster than its size: layers of an image, entries of an index, tags. */
export async function measureGrowth(directory: string, rounds: number): Promise<readonly Growth[]> {
  return [
    await growth('pull an image of N layers', [125, 250, 500], rounds, (size) =>
      pullScene(`${directory}/layers-${size}`, (store) => layeredImage(store, size)),
    ),
    await growth('pull an index of N images', [125, 250, 500], rounds, (size) =>
      pullScene(`${directory}/index-${size}`, (store) => indexOf(store, size)),
    ),
    await growth('list, check and collect a store of N images', [250, 500, 1_000], rounds, (size) =>
      storeScene(`${directory}/store-${size}`, size),
    ),
    await growth('list N tags', [2_500, 5_000, 10_000], rounds, tagScene),
  ];
}

/** The table of one measurement. */
export function formatGrowth({ title, points, slope }: Growth): string {
  const lines = points.map(({ size, milliseconds }) => {
    const each = ((milliseconds / size) * 1000).toFixed(0);
    return `  N = ${String(size).padStart(6)}  ${milliseconds.toFixed(1).padStart(9)} ms  ${each.padStart(7)} µs each`;
  });
  return [`growth: ${title}`, ...lines, `  slope ${slope.toFixed(2)} (1 is linear)`].join('\n');
}

/** Something of one size that can be measured again and again. */
interface GrowthScene extends AsyncDisposable {
  run(): Promise<void>;
}

async function growth(
  title: string,
  sizes: readonly number[],
  rounds: number,
  open: (size: number) => Promise<GrowthScene>,
): Promise<Growth> {
  const points: { size: number; milliseconds: number }[] = [];
  for (const size of sizes) {
    await using scene = await open(size);
    let best = Number.POSITIVE_INFINITY;
    // The first one warms up.
    for (let round = 0; round <= rounds; round++) {
      const started = performance.now();
      await scene.run();
      if (round > 0) best = Math.min(best, performance.now() - started);
    }
    points.push({ size, milliseconds: best });
  }
  return { title, points, slope: slopeOf(points) };
}

function slopeOf(points: Growth['points']): number {
  const logs = points.map(({ size, milliseconds }) => ({ x: Math.log(size), y: Math.log(milliseconds) }));
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const x = mean(logs.map((point) => point.x));
  const y = mean(logs.map((point) => point.y));
  const both = logs.reduce((sum, point) => sum + (point.x - x) * (point.y - y), 0);
  return both / logs.reduce((sum, point) => sum + (point.x - x) ** 2, 0);
}

async function pullScene(
  directory: string,
  make: (store: Store) => Promise<Descriptor>,
): Promise<GrowthScene> {
  const store = await openStore(`${directory}-source`);
  await store.tag('image:1', await make(store));
  const registry = await startRegistry({ store });
  const target = `${directory}-target`;
  return {
    async run() {
      {
        await using into = await openStore(target);
        await pull(`${registry.host}/image:1`, { store: into, allPlatforms: true });
      }
      await rm(target, { recursive: true });
    },
    async [Symbol.asyncDispose]() {
      await registry[Symbol.asyncDispose]();
      await store[Symbol.asyncDispose]();
      await rm(`${directory}-source`, { recursive: true });
    },
  };
}

async function layeredImage(store: Store, count: number): Promise<Descriptor> {
  const layers = await Promise.all(
    Array.from({ length: count }, (_, number) =>
      buildLayer([{ header: { name: `directory-${number}/`, type: 'directory' as const } }], {
        compression: 'gzip',
      }),
    ),
  );
  return writeImage(store, { layers });
}

async function indexOf(store: Store, count: number): Promise<Descriptor> {
  const manifests: Descriptor[] = [];
  for (let number = 0; number < count; number++)
    manifests.push(await writeImage(store, { layers: [], author: `author ${number}` }));
  const index: Index = { schemaVersion: 2, mediaType: MediaType.index, manifests };
  return store.put(encodeJson(index), { mediaType: MediaType.index });
}

/** A store of images that share a layer and have one of their own. */
async function storeScene(directory: string, count: number): Promise<GrowthScene> {
  const store = await openStore(directory);
  const layer = (name: string) =>
    buildLayer([{ header: { name, type: 'directory' as const } }], { compression: 'gzip' });
  const shared = await layer('shared/');
  for (let number = 0; number < count; number++) {
    const layers = [shared, await layer(`own-${number}/`)];
    await writeImage(store, { layers, name: `example.test/image:${number}` });
  }
  return {
    async run() {
      const listed = await store.list();
      const { problems } = await checkStore(store);
      const { blobs } = await collectGarbage(store, { dryRun: true });
      if (listed.length !== count || problems.length > 0 || blobs.length !== 3 * count + 1)
        throw new Error(`${listed.length} images, ${blobs.length} blobs, ${problems.length} problems`);
    },
    async [Symbol.asyncDispose]() {
      await store[Symbol.asyncDispose]();
      await rm(directory, { recursive: true });
    },
  };
}

/** A registry that has tags and nothing else, in pages as it is asked for. */
async function tagScene(count: number): Promise<GrowthScene> {
  const names = Array.from({ length: count }, (_, number) => `v1.${String(number).padStart(6, '0')}`);
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://registry');
    response.setHeader('content-type', 'application/json');
    if (!pathname.endsWith('/tags/list')) return void response.end('{}');
    const size = Number(searchParams.get('n') ?? 1000);
    const start = names.indexOf(searchParams.get('last') ?? '') + 1;
    const tags = names.slice(start, start + size);
    if (start + size < count)
      response.setHeader('link', `<${pathname}?n=${size}&last=${tags.at(-1)}>; rel="next"`);
    response.end(JSON.stringify({ name: 'image', tags }));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    async run() {
      const found = await listTags(`127.0.0.1:${address.port}/image`);
      if (found.length !== count) throw new Error(`${found.length} tags instead of ${count}`);
    },
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
