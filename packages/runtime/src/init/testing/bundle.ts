import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import type { Process, RuntimeSpec } from '@ocijs/bundle/spec';
import { type InitExit, releaseInit, type StartInitOptions, startInit } from '../index.ts';

const busybox = '/usr/bin/busybox';

/** Why containers cannot be tested here, or undefined. */
export function skipReason(): string | undefined {
  if (process.platform !== 'linux') return 'containers need Linux';
  if (!existsSync(busybox)) return `${busybox} (busybox-static) is not installed`;
  if (process.geteuid?.() !== 0) return 'this test needs root';
  return undefined;
}

/** A bundle of busybox in a directory of its own. */
export interface TestBundle extends Disposable {
  readonly directory: string;
  readonly rootfs: string;
  readonly state: string;
}

/** Makes a bundle in a directory that goes away with it. */
export function makeBundle(): TestBundle {
  const directory = mkdtempSync(join(tmpdir(), 'oci-init-'));
  const rootfs = join(directory, 'rootfs');
  const state = join(directory, 'state');
  for (const name of ['bin', 'dev', 'etc', 'proc', 'sys', 'tmp', 'root']) {
    mkdirSync(join(rootfs, name), { recursive: true });
  }
  mkdirSync(state);
  copyFileSync(busybox, join(rootfs, 'bin/busybox'));
  for (const name of spawnSync(busybox, ['--list'], { encoding: 'utf8' }).stdout.trim().split('\n')) {
    if (name !== 'busybox') symlinkSync('busybox', join(rootfs, 'bin', name));
  }
  return {
    directory,
    rootfs,
    state,
    [Symbol.dispose]: () => rmSync(directory, { recursive: true, force: true }),
  };
}

const defaultProcess: Process = {
  user: { uid: 0, gid: 0 },
  cwd: '/',
  env: ['PATH=/bin', 'TERM=xterm'],
  args: ['true'],
  noNewPrivileges: true,
  capabilities: { bounding: ['CAP_KILL'], effective: ['CAP_KILL'], permitted: ['CAP_KILL'] },
};

/** A configuration like that of `runc spec`. */
export function makeSpec(
  change: Partial<Omit<RuntimeSpec, 'process'>> & { process?: Partial<Process> } = {},
): RuntimeSpec {
  const { process: changedProcess, linux, ...rest } = change;
  return {
    ociVersion: '1.2.0',
    root: { path: 'rootfs', readonly: true },
    hostname: 'test',
    mounts: [
      { destination: '/proc', type: 'proc', source: 'proc' },
      {
        destination: '/dev',
        type: 'tmpfs',
        source: 'tmpfs',
        options: ['nosuid', 'strictatime', 'mode=755', 'size=65536k'],
      },
      {
        destination: '/dev/pts',
        type: 'devpts',
        source: 'devpts',
        options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620'],
      },
      { destination: '/sys', type: 'sysfs', source: 'sysfs', options: ['nosuid', 'noexec', 'nodev', 'ro'] },
    ],
    ...rest,
    process: { ...defaultProcess, ...changedProcess },
    linux: {
      namespaces: [{ type: 'pid' }, { type: 'network' }, { type: 'ipc' }, { type: 'uts' }, { type: 'mount' }],
      maskedPaths: ['/proc/keys', '/proc/acpi', '/sys/firmware', '/proc/does-not-exist'],
      readonlyPaths: ['/proc/sys', '/proc/bus'],
      ...linux,
    },
  };
}

/** Options to start a container of a bundle without standard streams. */
export function startOptions(bundle: TestBundle, spec: RuntimeSpec = makeSpec()): StartInitOptions {
  return {
    spec,
    bundle: bundle.directory,
    rootfs: bundle.rootfs,
    id: 'test',
    stateDirectory: bundle.state,
    cgroups: [],
    stdio: ['ignore', 'ignore', 'ignore'],
    lifetime: 'attached',
  };
}

/** What a container did. */
export interface Outcome extends InitExit {
  readonly stdout: string;
  readonly stderr: string;
}

async function textOf(stream: Readable | undefined): Promise<string> {
  return stream === undefined ? '' : await text(stream);
}

/** Runs a shell script in a container to its end. */
export async function runScript(
  bundle: TestBundle,
  script: string,
  options: { readonly spec?: RuntimeSpec } & Partial<Omit<StartInitOptions, 'spec'>> = {},
): Promise<Outcome> {
  const { spec = makeSpec(), ...rest } = options;
  const process = { ...(spec.process ?? defaultProcess), args: ['sh', '-c', script] };
  await using init = await startInit({
    ...startOptions(bundle, { ...spec, process }),
    stdio: ['ignore', 'pipe', 'pipe'],
    ...rest,
  });
  const output = Promise.all([textOf(init.stdout), textOf(init.stderr)]);
  await releaseInit(bundle.state, init.pid);
  const [stdout, stderr] = await output;
  return { ...(await init.exited), stdout, stderr };
}
