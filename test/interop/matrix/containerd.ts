import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { command, output } from '../../kit/command.ts';
import { versionOf } from './containers-tools.ts';
import { isRegistry } from './places.ts';
import type { Place, RunningTool, Tool } from './types.ts';

const noLayouts = 'ctr reads and writes layouts in archives only';

/** containerd with everything of its own in one directory, by its client ctr. */
export const ctr: Tool = {
  name: 'ctr',
  commands: ['ctr', 'containerd'],
  needsRoot: true,
  async start({ directory, reference }): Promise<RunningTool> {
    const socket = join(directory, 'containerd.sock');
    const config = join(directory, 'config.toml');
    await mkdir(join(directory, 'state'), { recursive: true });
    const disabled = ['cri', 'aufs', 'btrfs', 'devmapper', 'zfs'].map((one) =>
      JSON.stringify(`io.containerd.${one === 'cri' ? 'grpc.v1.cri' : `snapshotter.v1.${one}`}`),
    );
    await writeFile(
      config,
      `version = 2\nroot = "${join(directory, 'root')}"\nstate = "${join(directory, 'state')}"\ndisabled_plugins = [${disabled.join(', ')}]\n[grpc]\n  address = "${socket}"\n[ttrpc]\n  address = "${socket}.ttrpc"\n[debug]\n  address = "${socket}.debug"\n`,
    );
    const daemon = spawn('containerd', ['--config', config, '--log-level', 'error'], { stdio: 'ignore' });
    const ended = once(daemon, 'exit');
    const stop = async (): Promise<void> => {
      daemon.kill('SIGTERM');
      await ended;
    };
    const run = (...args: readonly string[]): Promise<string> =>
      output('ctr', ['--address', socket, '--namespace', 'matrix', ...args]);
    for (let attempt = 0; ; attempt++) {
      const { status } = await command('ctr', ['--address', socket, 'version'], { timeoutMs: 10_000 });
      if (status === 0) break;
      if (daemon.exitCode !== null || attempt >= 300) {
        await stop();
        throw new Error('containerd does not answer');
      }
      await sleep(100);
    }
    const pull = (name: string): Promise<string> =>
      run('images', 'pull', '--plain-http', '--snapshotter', 'native', name);
    /** The config of an image, which may be below an index. */
    const configDigest = async (name: string): Promise<string> => {
      const line = (await run('images', 'ls')).split('\n').find((each) => each.startsWith(`${name} `));
      let digest = /sha256:[0-9a-f]{64}/.exec(line ?? '')?.[0] ?? '';
      for (;;) {
        const document = JSON.parse(await run('content', 'get', digest));
        if (document.config !== undefined) return document.config.digest;
        digest = document.manifests[0].digest;
      }
    };
    const importFile = async ({ at }: Place): Promise<string> => {
      const said = await run(
        'images',
        'import',
        '--snapshotter',
        'native',
        '--base-name',
        'example.com/imported',
        at,
      );
      const name = /^unpacking (\S+)/m.exec(said)?.[1] ?? '';
      const digest = await configDigest(name);
      await run('images', 'rm', '--sync', name);
      return digest;
    };
    return {
      version: await versionOf('ctr'),
      read(place) {
        if (place.medium === 'layout') return noLayouts;
        if (!isRegistry(place)) return importFile;
        return async ({ at }) => {
          await pull(at);
          return configDigest(at);
        };
      },
      write(place) {
        if (place.medium === 'layout') return noLayouts;
        return async ({ at }) => {
          await pull(reference);
          if (!isRegistry(place)) return run('images', 'export', '--platform', 'linux/amd64', at, reference);
          await run('images', 'tag', '--force', reference, at);
          return run('images', 'push', '--plain-http', at);
        };
      },
      [Symbol.asyncDispose]: stop,
    };
  },
};
