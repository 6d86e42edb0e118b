import { readFile } from 'node:fs/promises';

/** The digests of the layers of the first image in a layout. */
export async function layersOf(layout: string): Promise<string[]> {
  const read = async (path: string) => JSON.parse(await readFile(`${layout}/${path}`, 'utf8'));
  const index = await read('index.json');
  const manifest = await read(`blobs/${index.manifests[0].digest.replace(':', '/')}`);
  return manifest.layers.map(({ digest }: { digest: string }) => digest);
}
