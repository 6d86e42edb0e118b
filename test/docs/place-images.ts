import { readFile } from 'node:fs/promises';
import {
  buildLayer,
  type Descriptor,
  type ImageLayer,
  parsePlatform,
  type Store,
  writeImage,
  writeIndex,
} from '@ocijs/image';
import { findCommand } from '../kit/requirements.ts';

const host = process.arch === 'arm64' ? 'linux/arm64' : 'linux/amd64';

/** Busybox under names that pages use for what has no more than a system in it. */
const bases = 'debian:bookworm debian:latest debian:12 debian:12.1 alpine:latest busybox:latest';
/** With a layer of its own on that. */
const applications = [
  ...['library/debian:12.2', 'library/nginx:latest', 'library/shop:2.3', 'library/app:v1', 'library/app:v2'],
  ...['team/app:v1', 'team/app:v2', 'team/app:1.2', 'a/b:latest'],
  ...['distroless/nodejs24-debian12:latest', 'distroless/nodejs24-debian12:nonroot'],
];

/** Makes the images that pages speak of in the store of a registry that stands in for all others. */
export async function writeImages(store: Store): Promise<void> {
  base ??= baseLayer();
  const write = async (name: string, layers: readonly ImageLayer[], platform = host): Promise<Descriptor> =>
    await writeImage(store, {
      name,
      layers,
      platform: parsePlatform(platform),
      config: { Env: ['PATH=/bin'], Cmd: ['sh', '-c', 'echo ready'] },
    });
  for (const name of bases.split(' ')) await write(`library/${name}`, [await base]);
  for (const name of applications) await write(name, [await base, await textLayer('etc/release', name)]);
  const manifests: Descriptor[] = [];
  for (const platform of ['amd64', 'arm64', 'riscv64']) {
    const name = `library/app:v1-${platform}`;
    manifests.push(await write(name, [await textLayer('etc/release', name)], `linux/${platform}`));
  }
  await writeIndex(store, { name: 'team/app:1', manifests: manifests.slice(0, 2) });
  await writeIndex(store, { name: 'library/node:24-slim', manifests: manifests.slice(0, 2) });
}

let base: Promise<ImageLayer> | undefined;

const file = (name: string, body: Buffer, mode = 0o644) => ({
  header: { name, type: 'file' as const, mode, size: body.length },
  body,
});

function textLayer(name: string, text: string): Promise<ImageLayer> {
  return buildLayer([file(name, Buffer.from(`${text}\n`))]);
}

/** Busybox, with `bash` too. */
async function baseLayer(): Promise<ImageLayer> {
  const directories = ['bin/', 'dev/', 'proc/', 'sys/', 'tmp/', 'etc/', 'root/', 'data/', 'var/', 'var/lib/'];
  const applets = 'sh cat echo hostname id ls mkdir sleep true uname';
  return await buildLayer([
    ...directories.map((at) => ({ header: { name: at, type: 'directory' as const, mode: 0o755 } })),
    file('bin/busybox', await readFile(findCommand('busybox') ?? ''), 0o755),
    file('bin/bash', Buffer.from('#!/bin/sh\nexec sh "$@"\n'), 0o755),
    file('bin/make', Buffer.from('#!/bin/sh\necho made\n'), 0o755),
    file('bin/worker', Buffer.from('#!/bin/sh\nexit 0\n'), 0o755),
    file('bin/pg_dump', Buffer.from('#!/bin/sh\necho dumped\n'), 0o755),
    ...applets.split(' ').map((applet) => ({
      header: { name: `bin/${applet}`, type: 'symlink' as const, linkname: 'busybox', mode: 0o777 },
    })),
    file('etc/passwd', Buffer.from('root:x:0:0:root:/root:/bin/sh\npostgres:x:70:70::/var/lib:/bin/sh\n')),
    file('etc/group', Buffer.from('root:x:0:\npostgres:x:70:\n')),
    file('etc/os-release', Buffer.from('PRETTY_NAME="a small system"\n')),
  ]);
}
