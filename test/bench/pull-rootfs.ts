import { rm } from 'node:fs/promises';
import { openLayout } from '@ocijs/image';
import { push } from '@ocijs/registry';
import { output } from '../kit/command.ts';
import { acceptAnything } from '../kit/debian-image.ts';
import { dockerRegistry } from '../kit/docker-registry.ts';
import { ociProgram } from '../kit/oci.ts';
import { missing } from '../kit/requirements.ts';
import { startContainerd } from './containerd.ts';
import type { Comparison } from './measure.ts';
import { largeImage } from './unpack-images.ts';

/** From a registry on this machine to files: what containerd and podman do when they pull. */
export async function pullToRootfsComparison(directory: string): Promise<Comparison | string> {
  const commands = ['debootstrap', 'umoci', 'docker-registry', 'podman'];
  const reason = missing({ root: true, commands });
  if (reason) return reason;
  const registry = await dockerRegistry(directory);
  const name = `${registry.host}/debian:1`;
  const { layout, tag } = await largeImage(directory, 'gzip');
  {
    await using store = await openLayout(layout);
    await push(await store.image(tag), name, { store });
  }
  const containerd = await startContainerd(`${directory}/containerd`);
  const policy = await acceptAnything(directory);
  let runs = 0;
  const storage = (): string[] => [
    ...['--root', `${directory}/podman/root`, '--runroot', `${directory}/podman/run`],
    ...['--storage-driver', 'overlay'],
  ];
  const oci = (...args: string[]) => output(process.execPath, [ociProgram, ...args]);
  const removeStore = () => rm(`${directory}/store`, { recursive: true, force: true });
  return {
    title: 'registry to root file system: a Debian with gcc in one layer, gzip',
    contenders: [
      {
        name: 'podman pull',
        run: async () =>
          void (await output('podman', [
            ...storage(),
            ...['pull', '-q', '--tls-verify=false', '--signature-policy', policy, name],
          ])),
        cleanUp: async () => void (await output('podman', [...storage(), 'rmi', '-f', name])),
      },
      {
        name: 'ctr image pull',
        foreign: true,
        async run() {
          if (typeof containerd === 'string') throw new Error(containerd);
          await containerd.ctr('images', 'pull', '--plain-http', name);
        },
        async cleanUp() {
          if (typeof containerd !== 'string') await containerd.ctr('images', 'rm', '--sync', name);
        },
      },
      {
        name: 'oci unpack --rootfs-only docker://',
        run: async () =>
          void (await oci('unpack', '--rootfs-only', `docker://${name}`, `${directory}/target-${runs++}`)),
      },
      {
        name: 'oci unpack, into the store too',
        run: async () =>
          void (await oci('unpack', '--store', `${directory}/store`, name, `${directory}/target-${runs++}`)),
        cleanUp: removeStore,
      },
    ],
    async close() {
      if (typeof containerd !== 'string') await containerd[Symbol.asyncDispose]();
      await registry[Symbol.asyncDispose]();
    },
  };
}
