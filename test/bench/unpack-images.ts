import { createWriteStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { pack } from 'tar-stream';
import { output } from '../kit/command.ts';
import { mirror } from '../kit/debian-image.ts';
import { ociProgram } from '../kit/oci.ts';

/** An image as an OCI layout, and its layers as archives that nothing has compressed. */
export interface UnpackImage {
  readonly layout: string;
  readonly tag: string;
}

/** How layers are compressed. */
export type Compression = 'gzip' | 'zstd';

/** A Debian with a compiler in one layer: 380 MB of tar and more, 13,000 entries. */
export async function largeImage(directory: string, compression: Compression): Promise<UnpackImage> {
  const rootfs = await debian(directory);
  await tar(rootfs, ['.'], `${directory}/0.tar`);
  await rm(rootfs, { recursive: true });
  return imageOf(directory, { layers: 1, compression });
}

/** The same in twenty layers; each removes a file of the one before. */
export async function layeredImage(directory: string): Promise<UnpackImage> {
  const rootfs = await debian(directory);
  const list = await output('find', ['.', '!', '-type', 'd', '-printf', '%P\\n'], { cwd: rootfs });
  const files = list.split('\n').filter(Boolean).sort();
  const size = Math.ceil(files.length / layers);
  for (let index = 0; index < layers; index++) {
    const part = files.slice(index * size, (index + 1) * size);
    const removed = files[(index - 1) * size];
    const whiteout = removed?.replace(/([^/]*)$/, '.wh.$1');
    if (whiteout !== undefined) await output('touch', [whiteout], { cwd: rootfs });
    await tar(rootfs, [...part, ...(whiteout === undefined ? [] : [whiteout])], `${directory}/${index}.tar`);
    if (whiteout !== undefined) await rm(`${rootfs}/${whiteout}`);
  }
  await rm(rootfs, { recursive: true });
  return imageOf(directory, { layers, compression: 'gzip' });
}

/** A hundred thousand files of 500 bytes in a thousand directories. */
export async function manyFilesImage(directory: string): Promise<UnpackImage> {
  const archive = pack();
  const written = pipeline(archive, createWriteStream(`${directory}/0.tar`));
  const mtime = new Date(1_700_000_000_000);
  for (let parent = 0; parent < 1_000; parent++) {
    archive.entry({ name: `files/${parent}/`, type: 'directory', mtime });
    for (let file = 0; file < 100; file++) {
      const content = Buffer.alloc(500, `${parent} ${file} `);
      await new Promise<void>((resolve, reject) => {
        archive.entry({ name: `files/${parent}/${file}`, mtime }, content, (error) =>
          error ? reject(error) : resolve(),
        );
      });
    }
  }
  archive.finalize();
  await written;
  return imageOf(directory, { layers: 1, compression: 'gzip' });
}

const layers = 20;

async function debian(directory: string): Promise<string> {
  const rootfs = `${directory}/debian`;
  const options = ['--variant=minbase', '--include=gcc,libc6-dev', 'bookworm', rootfs];
  await output('debootstrap', [...options, ...(await mirror())], { timeoutMs: 900_000 });
  return rootfs;
}

/** Paths may be many: they go through standard input. */
async function tar(root: string, paths: readonly string[], archive: string): Promise<void> {
  const options = ['--format=pax', '--numeric-owner', '--sort=name', '-C', root, '--null', '-T', '-'];
  await output('tar', [...options, '-cf', archive], { input: paths.join('\0') });
}

/** Archives as the layers of an image; the archives are gone afterwards. */
async function imageOf(
  directory: string,
  { layers, compression }: { readonly layers: number; readonly compression: Compression },
): Promise<UnpackImage> {
  const layout = `${directory}/layout`;
  const image = `${layout}:image`;
  await mkdir(directory, { recursive: true });
  await output('umoci', ['init', '--layout', layout]);
  await output('umoci', ['new', '--image', image]);
  for (let index = 0; index < layers; index++) {
    const archive = `${directory}/${index}.tar`;
    const append = ['append', '--compression', compression, `oci:${image}`, `oci:${image}`, archive];
    await output(process.execPath, [ociProgram, ...append]);
    await rm(archive);
  }
  return { layout, tag: 'image' };
}
