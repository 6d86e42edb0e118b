import {
  analyzeImage,
  buildLayer,
  createLayout,
  type ImageAnalysis,
  type ImageStore,
  type TarWriteEntry,
  writeImage,
} from '@ocijs/image';
import type { Report } from '../model/report.ts';
import { buildReport } from '../report/build-report.ts';

/** A file of a test layer. */
export const file = (name: string, content = '', fields: object = {}): TarWriteEntry => ({
  header: { name, ...fields },
  body: Buffer.from(content),
});

/** Anything else of a test layer. */
export const entry = (
  name: string,
  type: 'directory' | 'link' | 'symlink',
  linkname?: string,
): TarWriteEntry => ({ header: { name, type, ...(linkname === undefined ? {} : { linkname }) } });

/** Layers of an image, the lowest first, and the steps that made them. */
export type TestLayers = readonly (readonly [createdBy: string, entries: readonly TarWriteEntry[]])[];

/** A small image that has something of everything: changes, removals, waste, copies, links. */
export const sampleLayers: TestLayers = [
  [
    '/bin/sh -c #(nop) ADD rootfs.tar /',
    [
      entry('etc/', 'directory'),
      file('etc/hosts', '127.0.0.1 localhost\n'),
      file('etc/motd', 'welcome\n'.repeat(20)),
      entry('usr/', 'directory'),
      entry('usr/bin/', 'directory'),
      file('usr/bin/tool', 'x'.repeat(5000), { mode: 0o755 }),
      entry('usr/bin/tool-link', 'link', 'usr/bin/tool'),
      entry('bin', 'symlink', 'usr/bin'),
      entry('var/', 'directory'),
      entry('var/cache/', 'directory'),
      file('var/cache/index', 'c'.repeat(3000)),
    ],
  ],
  [
    'RUN /bin/sh -c make && rm -r /var/cache # buildkit',
    [file('etc/hosts', '127.0.0.1 here\n'), file('var/.wh.cache'), file('usr/bin/copy', 'x'.repeat(5000))],
  ],
  ['COPY app /app # buildkit', [entry('app/', 'directory'), file('app/main.js', 'console.log(1)\n')]],
];

/** The image that comes after {@link sampleLayers}. */
export const nextLayers: TestLayers = [
  ...sampleLayers.slice(0, 2),
  [
    'COPY app /app # buildkit',
    [entry('app/', 'directory'), file('app/main.js', 'console.log(2)\n'), file('app/new.js', '1')],
  ],
];

/** Writes an image under a name. */
export async function writeTestImage(
  store: ImageStore,
  name: string,
  { layers, config = {} }: { readonly layers: TestLayers; readonly config?: object },
): Promise<void> {
  const built = [];
  for (const [createdBy, entries] of layers) built.push(await buildLayer(entries, { createdBy }));
  await writeImage(store, {
    layers: built,
    name,
    config,
    platform: { os: 'linux', architecture: 'amd64' },
    annotations: { note: 'test' },
  });
}

/** Writes images into a layout at a directory, and makes the report of them. */
export async function reportOf(
  directory: string,
  images: Readonly<Record<string, { readonly layers: TestLayers; readonly config?: object }>>,
): Promise<Report> {
  await using store = await createLayout(directory);
  const analyses: ImageAnalysis[] = [];
  for (const [name, image] of Object.entries(images)) {
    await writeTestImage(store, name, image);
    analyses.push(await analyzeImage(await store.image(name)));
  }
  return buildReport(analyses, 'oci test');
}

/** A report of one layer with many files, a thousand in each directory. */
export function largeReport(sample: Report, count: number): Report {
  const [image] = sample.images;
  if (image === undefined) throw new TypeError('no image to start from');
  const names = [''];
  const depths = [0];
  for (let directory = 0; names.length <= count; directory++) {
    names.push(`directory-${directory}`);
    depths.push(1);
    for (let index = 0; index < 1000 && names.length <= count; index++) {
      names.push(`file-${directory}-${index}.txt`);
      depths.push(2);
    }
  }
  const zeros = names.map(() => 0).slice(1);
  const isDirectory = depths.map((depth) => depth === 1).slice(1);
  return {
    ...sample,
    images: [
      {
        ...image,
        layers: image.layers.slice(0, 1),
        wasted: [],
        duplicates: [],
        tree: {
          names,
          depths,
          counts: names.map((_, index) => (index === 0 ? 0 : 1)),
          layers: zeros,
          kinds: zeros,
          differences: zeros,
          types: isDirectory.map((is) => (is ? 3 : 0)),
          sizes: isDirectory.map((is, index) => (is ? 0 : 1 + ((index * 7919) % 5000))),
          modes: isDirectory.map((is) => (is ? 0o755 : 0o644)),
          uids: zeros,
          gids: zeros,
          times: zeros,
          links: [],
          groups: [],
          attributes: [],
        },
      },
    ],
  };
}
