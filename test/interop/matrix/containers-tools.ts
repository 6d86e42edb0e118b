import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { output } from '../../kit/command.ts';
import { imageName, isRegistry } from './places.ts';
import type { Place, RunningTool, Tool, ToolScene } from './types.ts';

/** A place as skopeo, podman and buildah write it. */
function transportName(place: Place, purpose: 'read' | 'write'): string {
  const { medium, at } = place;
  if (isRegistry(place)) return `docker://${at}`;
  if (medium === 'layout') return `oci:${at}:v1`;
  if (medium === 'oci-archive') return `oci-archive:${at}:v1`;
  return purpose === 'read' ? `docker-archive:${at}` : `docker-archive:${at}:${imageName}`;
}

/** skopeo: copies to its own directory form, whose manifest names the config. */
export const skopeo: Tool = {
  name: 'skopeo',
  commands: ['skopeo'],
  async start({ directory, layout }: ToolScene): Promise<RunningTool> {
    const copy = (from: string, to: string): Promise<string> =>
      output('skopeo', [
        '--insecure-policy',
        'copy',
        '-q',
        '--src-tls-verify=false',
        '--dest-tls-verify=false',
        from,
        to,
      ]);
    let copies = 0;
    return {
      version: await versionOf('skopeo'),
      read: () => async (place) => {
        const target = join(directory, String(copies++));
        await copy(transportName(place, 'read'), `dir:${target}`);
        return JSON.parse(await readFile(join(target, 'manifest.json'), 'utf8')).config.digest;
      },
      write: () => async (place) => copy(`oci:${layout}:v1`, transportName(place, 'write')),
      [Symbol.asyncDispose]: async () => undefined,
    };
  },
};

/** podman and buildah keep images in a storage of their own, whose identifiers are the digests of configs. */
function withStorage(name: 'podman' | 'buildah'): Tool {
  return {
    name,
    commands: [name],
    needsRoot: true,
    async start({ directory, layout }: ToolScene): Promise<RunningTool> {
      const own = (flag: string): readonly string[] => [`--${flag}`, join(directory, flag)];
      const roots = [...own('root'), ...own('runroot'), ...(name === 'podman' ? own('tmpdir') : [])];
      const policy = join(directory, 'policy.json');
      await writeFile(policy, JSON.stringify({ default: [{ type: 'insecureAcceptAnything' }] }));
      const run = (command: string, ...args: readonly string[]): Promise<string> =>
        output(name, [...roots, '--storage-driver', 'vfs', command, ...args]);
      const pull = async (from: string): Promise<string> => {
        const flags = [
          '-q',
          '--tls-verify=false',
          ...(name === 'buildah' ? ['--signature-policy', policy] : []),
        ];
        return (await run('pull', ...flags, from)).trim().split('\n').at(-1) ?? '';
      };
      const push = (image: string, to: string): Promise<string> =>
        run(
          'push',
          '-q',
          '--tls-verify=false',
          '--format',
          to.startsWith('docker-') ? 'v2s2' : 'oci',
          image,
          to,
        );
      return {
        version: await versionOf(name),
        read: () => async (place) => {
          const image = await pull(transportName(place, 'read'));
          await run('rmi', '-f', image);
          return `sha256:${image.replace('sha256:', '')}`;
        },
        write: () => async (place) => push(await pull(`oci:${layout}:v1`), transportName(place, 'write')),
        [Symbol.asyncDispose]: async () => {
          await run('rmi', '-a', '-f');
        },
      };
    },
  };
}

export const podman: Tool = withStorage('podman');
export const buildah: Tool = withStorage('buildah');

/** The version that a command gives on its first line; some have none when they are built from source. */
export async function versionOf(command: string, ...args: readonly string[]): Promise<string> {
  const [first = ''] = (await output(command, args.length === 0 ? ['--version'] : args)).split('\n');
  return /\d+\.\d+[\w.+~-]*/.exec(first)?.[0] ?? '(main branch)';
}
