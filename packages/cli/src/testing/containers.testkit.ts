import assert from 'node:assert/strict';
import { accessSync, constants } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { buildLayer, openStore, writeImage } from '@ocijs/image';
import { type TestHome, type TestHomeOptions, testHome } from './oci.testkit.ts';

const busybox = ['/bin/busybox', '/usr/bin/busybox'].find(isExecutable);

/** Why containers cannot be tested here, or false. */
export const skipContainers: string | false =
  process.platform !== 'linux'
    ? 'needs Linux'
    : process.getuid?.() !== 0
      ? 'needs root'
      : busybox === undefined && 'needs busybox, not installed';

/** The test image: busybox, which is to be stopped with SIGUSR1. */
export const containerImage = 'example.test/busybox:latest';

const applets = ['sh', 'true', 'sleep', 'cat', 'id', 'echo', 'pwd', 'stty', 'env', 'seq', 'grep', 'test'];

/** `oci` with an image to make containers of; disposing removes all containers. */
export interface ContainerHome extends TestHome {
  /** Runs a command line that has to succeed, for its output. */
  ok(...args: readonly string[]): Promise<string>;
  /** The JSON document of a command line that has to succeed. */
  json(...args: readonly string[]): Promise<unknown>;
  /** Starts a script in the background and resolves once its log has a line. */
  background(name: string, script: string, ...flags: readonly string[]): Promise<string>;
}

/** Makes a home whose store has {@link containerImage}. */
export async function containerHome(options: TestHomeOptions = {}): Promise<ContainerHome> {
  const home = await testHome(options);
  await writeBusybox(join(home.directory, 'store'));
  const ok = async (...args: readonly string[]): Promise<string> => {
    const { status, stdout, stderr } = await home.oci(...args);
    assert.equal(status, 0, `oci ${args.join(' ')}: ${stderr}${stdout}`);
    return stdout;
  };
  const json = async (...args: readonly string[]): Promise<unknown> =>
    JSON.parse(await ok(...args, '--json'));
  return {
    ...home,
    ok,
    json,
    async background(name, script, ...flags) {
      const id = await ok('run', '-d', '--name', name, ...flags, containerImage, 'sh', '-c', script);
      const log = join(home.directory, 'store/containers', id.trim(), 'output.log');
      await until(async () => (await readFile(log, 'utf8')).includes('\n'));
      return id.trim();
    },
    async [Symbol.asyncDispose]() {
      const left = (await json('ps', '-a')) as { id: string }[];
      if (left.length > 0) await ok('rm', '--force', ...left.map(({ id }) => id));
      await home[Symbol.asyncDispose]();
    },
  };
}

/** Looks again until something is true, a minute at most. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 60_000;
  while (!(await condition())) {
    assert.ok(Date.now() < deadline, `did not become true: ${condition}`);
    await delay(20);
  }
}

async function writeBusybox(storeDirectory: string): Promise<void> {
  await using store = await openStore(storeDirectory);
  const body = await readFile(busybox ?? '');
  const passwd = Buffer.from('root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000::/home/app:/bin/sh\n');
  const directories = ['bin/', 'dev/', 'etc/', 'proc/', 'sys/', 'tmp/', 'root/'];
  const layer = await buildLayer([
    ...directories.map((name) => ({ header: { name, type: 'directory' as const, mode: 0o755 } })),
    { header: { name: 'bin/busybox', type: 'file', mode: 0o755, size: body.length }, body },
    { header: { name: 'etc/passwd', type: 'file', mode: 0o644, size: passwd.length }, body: passwd },
    ...applets.map((applet) => ({
      header: { name: `bin/${applet}`, type: 'symlink' as const, linkname: 'busybox', mode: 0o777 },
    })),
  ]);
  const architecture = process.arch === 'arm64' ? 'arm64' : 'amd64';
  const config = { Env: ['PATH=/bin', 'GREETING=hello'], Cmd: ['sh'], StopSignal: 'SIGUSR1' };
  await writeImage(store, {
    name: containerImage,
    layers: [layer],
    platform: { os: 'linux', architecture },
    config,
  });
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
