import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export interface GitDaemon extends AsyncDisposable {
  readonly url: string;
  readonly commit: string;
}

/**
 * A repository `repo` with a file `sub/file` on the branch main, served on loopback. A text `-> target` makes a link.
 */
export async function gitDaemon(
  directory: string,
  files: Readonly<Record<string, string>> = {},
): Promise<GitDaemon> {
  const repository = join(directory, 'served/repo');
  for (const [name, text] of Object.entries({ 'sub/file': 'text', ...files })) {
    await mkdir(join(repository, name, '..'), { recursive: true });
    if (text.startsWith('-> ')) await symlink(text.slice(3), join(repository, name));
    else await writeFile(join(repository, name), text);
  }
  const identity = ['-c', 'user.name=a', '-c', 'user.email=a@b', '-c', 'commit.gpgsign=false'];
  for (const args of [
    ['init', '-q', '-b', 'main'],
    ['add', '.'],
    [...identity, 'commit', '-qm', 'x'],
  ])
    execFileSync('git', args, { cwd: repository, stdio: 'ignore' });
  const commit = execFileSync('git', ['rev-parse', 'HEAD'], { cwd: repository, encoding: 'utf8' }).trim();
  const port = await freePort();
  const daemon = spawn(
    'git',
    [
      'daemon',
      '--export-all',
      '--listen=127.0.0.1',
      `--port=${port}`,
      `--base-path=${join(directory, 'served')}`,
    ],
    { stdio: 'ignore', detached: true },
  );
  const url = `git://127.0.0.1:${port}/repo`;
  for (let attempt = 0; ; attempt++) {
    try {
      execFileSync('git', ['ls-remote', url], { stdio: 'ignore' });
      break;
    } catch (error) {
      if (attempt > 200) throw error;
      await sleep(50);
    }
  }
  return {
    url,
    commit,
    async [Symbol.asyncDispose](): Promise<void> {
      const ended = once(daemon, 'close');
      // The daemon is a child of the git that was started: both are in one group.
      process.kill(-(daemon.pid ?? 0), 'SIGKILL');
      await ended;
    },
  };
}

async function freePort(): Promise<number> {
  const probe = createServer();
  probe.listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
}
