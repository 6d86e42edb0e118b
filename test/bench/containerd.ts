import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, rmdir, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { command, output } from '../kit/command.ts';
import { hierarchyMounts } from '../kit/hierarchies.ts';
import { missing } from '../kit/requirements.ts';

/**
 * A containerd of one's own: nothing of it lies outside of its directory but the state of runtimes, which is kept by
 * namespace, and each has one of its own.
 */
export interface Containerd extends AsyncDisposable {
  /** Runs `ctr` against it. */
  ctr(...args: string[]): Promise<string>;
}

/** Starts containerd with its data below `directory`; a string says why it does not run here. */
export async function startContainerd(directory: string): Promise<Containerd | string> {
  const reason = missing({ root: true, commands: ['containerd', 'ctr'] });
  if (reason) return reason;
  await mkdir(directory);
  const address = `${directory}/containerd.sock`;
  const config = `${directory}/config.toml`;
  const settings = [
    'version = 2',
    `root = "${directory}/root"`,
    `state = "${directory}/state"`,
    'disabled_plugins = ["io.containerd.grpc.v1.cri"]',
    `[grpc]\naddress = "${address}"`,
    `[ttrpc]\naddress = "${address}.ttrpc"`,
  ];
  await writeFile(config, `${settings.join('\n')}\n`);
  const child = spawn('containerd', ['--config', config, '--log-level', 'error'], { stdio: 'ignore' });
  const failed = new Promise<string>((resolve) => child.once('error', (error) => resolve(error.message)));
  const stop = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    await exited;
  };
  const namespace = `ocijs-${process.pid}`;
  const client = ['--address', address, '--namespace', namespace];
  /** The shims of tasks live on without their containerd. */
  const dispose = async (): Promise<void> => {
    const { stdout } = await command('ctr', [...client, 'task', 'ls', '--quiet']);
    for (const id of stdout.split('\n').filter(Boolean))
      await command('ctr', [...client, 'task', 'rm', '--force', id]);
    await stop();
    for (const mountPoint of hierarchyMounts()) await removeGroup(`${mountPoint}/${namespace}`);
  };
  for (let attempt = 0; attempt < 200; attempt++) {
    const early = await Promise.race([failed, sleep(100)]);
    if (early !== undefined) return early;
    if (child.exitCode !== null) return `containerd ended with ${child.exitCode}`;
    const { status } = await command('ctr', ['--address', address, 'version']);
    if (status === 0)
      return {
        ctr: (...args) => output('ctr', [...client, ...args]),
        [Symbol.asyncDispose]: dispose,
      };
  }
  await stop();
  return 'containerd does not answer';
}

/** The group that those of a namespace's tasks are in: runtimes remove theirs, and nobody that one. */
async function removeGroup(path: string): Promise<void> {
  try {
    await rmdir(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}
