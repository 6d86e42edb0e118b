import { join } from 'node:path';
import { output } from '../../kit/command.ts';
import { versionOf } from './containers-tools.ts';
import { imageName, isRegistry, type MatrixScene } from './places.ts';
import type { Place, RunningTool, Tool } from './types.ts';

/** What these tools read goes to a place of ours, and is looked at there. */
export type Reread = Pick<MatrixScene, 'place' | 'readTheirs'>;

/** crane, of go-containerregistry. */
export function crane(reread: Reread): Tool {
  const noArchive = 'crane knows layouts as directories only';
  return {
    name: 'crane',
    commands: ['crane'],
    async start({ reference }): Promise<RunningTool> {
      let count = 0;
      const run = (...args: readonly string[]): Promise<string> => output('crane', [...args, '--insecure']);
      const read = async (place: Place): Promise<string> => {
        const target = reread.place('oci serve', `crane-${count++}`);
        if (isRegistry(place)) await run('copy', place.at, target.at);
        else await run('push', place.at, target.at);
        return reread.readTheirs(target);
      };
      const write = async (place: Place): Promise<string> => {
        if (isRegistry(place)) return run('copy', reference, place.at);
        const format = place.medium === 'layout' ? 'oci' : 'tarball';
        return run('pull', '--format', format, reference, place.at);
      };
      return {
        version: await versionOf('crane', 'version'),
        read: ({ medium }) => (medium === 'oci-archive' ? noArchive : read),
        write: ({ medium }) => (medium === 'oci-archive' ? noArchive : write),
        [Symbol.asyncDispose]: async () => undefined,
      };
    },
  };
}

/** regctl, of regclient. */
export function regctl(reread: Reread): Tool {
  return {
    name: 'regctl',
    commands: ['regctl'],
    async start({ directory, reference }): Promise<RunningTool> {
      const env = { ...process.env, HOME: directory, REGCTL_CONFIG: join(directory, 'config.json') };
      const run = (...args: readonly string[]): Promise<string> => output('regctl', args, { env });
      const known = new Set<string>();
      const reach = async (at: string): Promise<void> => {
        const host = at.split('/')[0] ?? '';
        if (known.has(host)) return;
        known.add(host);
        await run('registry', 'set', host, '--tls', 'disabled', '--skip-check');
      };
      const nameOf = ({ medium, at }: Place): string => (medium === 'layout' ? `ocidir://${at}:v1` : at);
      let count = 0;
      return {
        version: await versionOf('regctl', 'version'),
        read: () => async (place) => {
          const target = reread.place('oci serve', `regctl-${count++}`);
          for (const each of [place.at, target.at]) await reach(each);
          if (isRegistry(place) || place.medium === 'layout')
            await run('image', 'copy', nameOf(place), target.at);
          else await run('image', 'import', target.at, place.at);
          return reread.readTheirs(target);
        },
        write: () => async (place) => {
          for (const each of [place.at, reference]) await reach(each);
          if (isRegistry(place) || place.medium === 'layout')
            return run('image', 'copy', reference, nameOf(place));
          return run('image', 'export', '--name', imageName, reference, place.at);
        },
        [Symbol.asyncDispose]: async () => undefined,
      };
    },
  };
}

/** oras. */
export function oras(reread: Reread): Tool {
  const noDocker = "oras does not know Docker's archives";
  return {
    name: 'oras',
    commands: ['oras'],
    async start({ directory, layout }): Promise<RunningTool> {
      const env = { ...process.env, HOME: directory };
      const copy = (from: readonly string[], to: readonly string[]): Promise<string> =>
        output('oras', ['copy', ...from, ...to], { env });
      let count = 0;
      const read = async (place: Place): Promise<string> => {
        const target = reread.place('layout', `oras-${count++}`);
        const from = isRegistry(place)
          ? ['--from-plain-http', place.at]
          : ['--from-oci-layout', `${place.at}:v1`];
        await copy(from, ['--to-oci-layout', `${target.at}:v1`]);
        return reread.readTheirs(target);
      };
      const write = async (place: Place): Promise<string> => {
        const to = isRegistry(place) ? ['--to-plain-http', place.at] : ['--to-oci-layout', `${place.at}:v1`];
        return copy(['--from-oci-layout', `${layout}:v1`], to);
      };
      return {
        version: await versionOf('oras', 'version'),
        read: ({ medium }) => (medium === 'docker-archive' ? noDocker : read),
        write({ medium }) {
          if (medium === 'docker-archive') return noDocker;
          return medium === 'oci-archive' ? 'oras reads layouts in archives, and writes directories' : write;
        },
        [Symbol.asyncDispose]: async () => undefined,
      };
    },
  };
}
