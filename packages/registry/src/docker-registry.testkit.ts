import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { temporaryDirectory } from './images.testkit.ts';

/** Why tests with a real registry are left out, or false. */
export const missingDockerRegistry: string | false = toolMissing('docker-registry', ['--version']);
/** The same for skopeo. */
export const missingSkopeo: string | false = missingDockerRegistry || toolMissing('skopeo', ['--version']);
/** The same for htpasswd. */
export const missingHtpasswd: string | false = missingDockerRegistry || toolMissing('htpasswd', []);

function toolMissing(command: string, options: readonly string[]): string | false {
  return spawnSync(command, options).error === undefined ? false : `${command} is not installed`;
}

/** A docker-registry on loopback. */
export interface DockerRegistry extends AsyncDisposable {
  /** `127.0.0.1:PORT`. */
  readonly host: string;
  /** Where it keeps its data. */
  readonly storage: string;
}

/** How the registry is set up. */
export interface DockerRegistryOptions {
  /** Basic authentication for this user. */
  readonly user?: { readonly username: string; readonly password: string };
  /** Default true. */
  readonly deletion?: boolean;
  /** More lines for its configuration file. */
  readonly configuration?: string;
}

/** Starts the registry and waits until it answers. */
export async function startDockerRegistry(options: DockerRegistryOptions = {}): Promise<DockerRegistry> {
  const directory = await temporaryDirectory();
  const storage = join(directory.path, 'storage');
  await mkdir(storage);
  const host = `127.0.0.1:${await freePort()}`;
  const lines = [
    'version: 0.1',
    'log: {level: error, accesslog: {disabled: true}}',
    'storage:',
    `  filesystem: {rootdirectory: ${storage}}`,
    `  delete: {enabled: ${options.deletion ?? true}}`,
    `http: {addr: "${host}"}`,
  ];
  if (options.user !== undefined) {
    const file = join(directory.path, 'htpasswd');
    await writeFile(file, htpasswd(options.user));
    lines.push('auth:', `  htpasswd: {realm: test, path: ${file}}`);
  }
  if (options.configuration !== undefined) lines.push(options.configuration);
  const file = join(directory.path, 'config.yml');
  await writeFile(file, `${lines.join('\n')}\n`);
  const child = spawn('docker-registry', ['serve', file], { stdio: ['ignore', 'ignore', 'pipe'] });
  child.stderr.resume();
  const stop = async (): Promise<void> => {
    await end(child);
    await directory[Symbol.asyncDispose]();
  };
  try {
    await untilAnswering(host, child);
  } catch (error) {
    await stop();
    throw error;
  }
  return { host, storage, [Symbol.asyncDispose]: stop };
}

function htpasswd({ username, password }: { readonly username: string; readonly password: string }): string {
  // docker-registry takes bcrypt only; the lowest cost, for speed.
  const { stdout, status } = spawnSync('htpasswd', ['-nbB', '-C', '4', username, password], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error('htpasswd failed');
  return stdout;
}

async function untilAnswering(host: string, child: ChildProcess): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    if (child.exitCode !== null) throw new Error(`docker-registry ended with ${child.exitCode}`);
    const answer = await fetch(`http://${host}/v2/`).catch(() => undefined);
    await answer?.arrayBuffer();
    if (answer !== undefined) return;
    await pause(50);
  }
  throw new Error('docker-registry does not answer');
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  await exited;
}

/** A port that is free at the moment. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
