import { createCipheriv } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { buildLayer, openStore, writeImage } from '@ocijs/image';
import { push } from '@ocijs/registry';
import { output } from '../kit/command.ts';
import { dockerRegistry } from '../kit/docker-registry.ts';
import { ociProgram } from '../kit/oci.ts';
import { missing } from '../kit/requirements.ts';
import { startContainerd } from './containerd.ts';
import type { Comparison, Contender } from './measure.ts';

/** An image of noise, which nobody can compress. */
interface Recipe {
  readonly layers: number;
  /** Of each layer. */
  readonly bytes: number;
}

const large: Recipe = { layers: 10, bytes: 50_000_000 };
const small: Recipe = { layers: 3, bytes: 1_000_000 };

/** From a registry on this machine into a store, and to an image layout, of 500 MB. */
export function transferComparison(directory: string): Promise<Comparison | string> {
  return compare(directory, large);
}

/** The same for an image of 3 MB, where starting counts. */
export function smallTransferComparison(directory: string): Promise<Comparison | string> {
  return compare(directory, small);
}

async function compare(directory: string, recipe: Recipe): Promise<Comparison | string> {
  const reason = missing({ commands: ['docker-registry', 'skopeo'] });
  if (reason) return reason;
  const registry = await dockerRegistry(directory);
  const name = `${registry.host}/noise:1`;
  await pushNoise(directory, { ...recipe, name });
  const containerd = await startContainerd(`${directory}/containerd`);
  const target = `${directory}/target`;
  const oci = (...args: string[]) => output(process.execPath, [ociProgram, ...args]);
  const cleanUp = () => rm(target, { recursive: true, force: true });
  const contender = (title: string, run: () => Promise<unknown>): Contender => ({
    name: title,
    run: async () => void (await run()),
    cleanUp,
  });
  const ctr = (title: string, ...args: string[]): Contender => ({
    name: title,
    foreign: true,
    async run() {
      if (typeof containerd === 'string') throw new Error(containerd);
      await containerd.ctr(...args, '--plain-http', name);
    },
    // Without a name, its garbage collector takes the content away before it returns.
    async cleanUp() {
      if (typeof containerd !== 'string') await containerd.ctr('images', 'rm', '--sync', name);
    },
  });
  const { layers, bytes } = recipe;
  return {
    title: `transfer: ${layers} layers, ${(layers * bytes) / 1e6} MB, from docker-registry on loopback`,
    contenders: [
      contender('skopeo copy oci:', () =>
        output('skopeo', ['copy', '-q', '--src-tls-verify=false', `docker://${name}`, `oci:${target}:1`]),
      ),
      ctr('ctr content fetch', 'content', 'fetch'),
      ctr('ctr image pull (unpacks)', 'images', 'pull'),
      contender('oci copy oci:', () => oci('copy', '--progress=none', name, `oci:${target}:1`)),
      contender('oci pull', () => oci('pull', '--progress=none', '--store', target, name)),
    ],
    async close() {
      if (typeof containerd !== 'string') await containerd[Symbol.asyncDispose]();
      await registry[Symbol.asyncDispose]();
    },
  };
}

async function pushNoise(
  directory: string,
  { name, layers, bytes }: Recipe & { readonly name: string },
): Promise<void> {
  const path = `${directory}/source`;
  {
    await using store = await openStore(path);
    const made = [];
    for (let seed = 1; seed <= layers; seed++) {
      const cipher = createCipheriv('aes-128-ctr', Buffer.alloc(16, seed), Buffer.alloc(16));
      const body = cipher.update(Buffer.alloc(bytes));
      const header = { name: `noise-${seed}`, type: 'file' as const, mode: 0o644, size: bytes };
      made.push(await buildLayer([{ header, body }], { compression: 'gzip' }));
    }
    await push(await writeImage(store, { name, layers: made }), name, { store });
  }
  await rm(path, { recursive: true });
}
