import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ImageSource, openDirectory, openStore, selectImage } from '@ocijs/image';
import { type CommandResult, command, output } from '../kit/command.ts';
import { oci, ociHome } from '../kit/oci.ts';
import { findCommand } from '../kit/requirements.ts';
import type { DockerfileCase } from './case.ts';

/** How a build ended. */
export type Built = { readonly image: ImageSource } | { readonly failure: string };

/** Where Dockerfiles are built, by us and by buildah, on the same base and with the same context. */
export interface Workshop extends AsyncDisposable {
  ours(one: DockerfileCase): Promise<Built>;
  buildah(one: DockerfileCase): Promise<Built>;
}

const applets =
  'sh cat cp mv rm mkdir rmdir ln ls echo true false id chmod chown touch mkfifo stat test pwd env wc find grep sed head tr'.split(
    ' ',
  );

/** The root file system of the image `base`. */
const rootfs = (busybox: string): string => `
mkdir -p bin etc mnt data real proc sys dev run tmp home/app replaced emptied var/cache
cp ${busybox} bin/busybox
for name in ${applets.join(' ')}; do ln -s busybox bin/$name; done
printf 'root:x:0:0:root:/root:/bin/sh\\napp:x:1000:1000::/home/app:/bin/sh\\n' > etc/passwd
printf 'root:x:0:\\napp:x:1000:\\nextra:x:2000:app\\n' > etc/group
touch etc/resolv.conf etc/hosts etc/hostname
ln -s real link
echo old > data/old; echo r > replaced/r; echo e > emptied/e
chmod 1777 tmp; chown 1000:1000 home/app
`;

/** Opens a workshop. Needs root, buildah and busybox. */
export async function openWorkshop(): Promise<Workshop> {
  const directory = await mkdtemp(join(tmpdir(), 'oci-dockerfiles-'));
  await using resources = new AsyncDisposableStack();
  resources.defer(() => rm(directory, { recursive: true, force: true }));
  const server = resources.use(await contentServer());
  const home = ociHome(directory);
  const storage = ['--root', join(directory, 'buildah'), '--runroot', join(directory, 'run')];
  const buildah = (...args: readonly string[]): Promise<CommandResult> =>
    command('buildah', [...storage, '--storage-driver', 'overlay', ...args], { cwd: directory });

  const base = join(directory, 'base');
  await mkdir(join(base, 'rootfs'), { recursive: true });
  const script = rootfs(findCommand('busybox') ?? 'busybox');
  await output('sh', ['-ec', `umask 022; ${script} tar -cf ../rootfs.tar .`], { cwd: join(base, 'rootfs') });
  await writeFile(join(base, 'Dockerfile'), 'FROM scratch\nADD rootfs.tar /\nCMD ["sh"]\n');
  const archive = join(directory, 'base.tar');
  succeeded(await oci(home, ['build', '-t', 'base', '-o', `type=oci,dest=${archive}`, base]));
  const pulled = succeeded(await buildah('pull', '-q', `oci-archive:${archive}`));
  succeeded(await buildah('tag', pulled.stdout.trim(), 'localhost/base:latest'));
  resources.defer(async () => void (await buildah('rmi', '--all', '--force')));

  let count = 0;
  async function prepare(one: DockerfileCase) {
    count += 1;
    const context = join(directory, `context-${count}`);
    await mkdir(context);
    if (one.context !== undefined) await output('sh', ['-ec', `umask 022; ${one.context}`], { cwd: context });
    const dockerfile = join(directory, `Dockerfile-${count}`);
    await writeFile(dockerfile, one.dockerfile.replaceAll('SERVER', server.url));
    const flags = (one.flags ?? []).map((flag) => flag.replaceAll('CONTEXT', context));
    return { name: `case-${count}`, args: [...flags, '-f', dockerfile, context] };
  }

  const kept = resources.move();
  return {
    async ours(one) {
      const { name, args } = await prepare(one);
      const { status, stderr } = await oci(home, ['build', '--progress', 'plain', '-t', name, ...args]);
      if (status !== 0) return { failure: stderr };
      await using store = await openStore(home.store);
      return { image: await store.image(`docker.io/library/${name}:latest`) };
    },
    async buildah(one) {
      const { name, args } = await prepare(one);
      const options = ['--format', 'docker', '--layers=false', '--isolation', 'chroot', '--pull-never'];
      const { status, stderr } = await buildah('build', ...options, '-t', name, ...args);
      if (status !== 0) return { failure: stderr };
      const pushed = join(directory, name);
      succeeded(await buildah('push', '-q', '--format', 'docker', name, `dir:${pushed}`));
      const collection = await openDirectory(pushed, {});
      return { image: await collection.image(await selectImage(collection, {})) };
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

function succeeded(result: CommandResult): CommandResult {
  if (result.status !== 0) throw new Error(result.stderr);
  return result;
}

/** Serves `content of PATH` at every path. */
async function contentServer(): Promise<{ readonly url: string } & AsyncDisposable> {
  const server = createServer(({ url = '' }, response) => {
    response.writeHead(200, { 'last-modified': 'Sat, 01 Jan 2022 00:00:00 GMT' }).end(`content of ${url}\n`);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose](): Promise<void> {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
