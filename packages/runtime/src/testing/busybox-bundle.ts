import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defaultSpec, type Process, type RuntimeSpec } from '@ocijs/bundle/spec';
import { findHierarchies } from '../cgroup/hierarchies.ts';

const busybox = ['/bin/busybox', '/usr/bin/busybox'].find((path) => existsSync(path));
const applets = [
  'sh',
  'cat',
  'echo',
  'env',
  'hostname',
  'id',
  'kill',
  'ls',
  'mkdir',
  'mknod',
  'pwd',
  'sleep',
  'stty',
  'test',
  'tr',
  'true',
  'dd',
  'head',
  'tty',
];

/** Why tests that run containers cannot run here; false when they can. */
export function cannotRun(): string | false {
  if (process.platform !== 'linux') return 'containers need Linux';
  if (busybox === undefined) return 'needs a static busybox (package busybox-static)';
  return false;
}

/** Why tests that run containers as root cannot run here; false when they can. */
export function cannotRunAsRoot(): string | false {
  return cannotRun() || (process.geteuid?.() === 0 ? false : 'needs root');
}

/** A scratch directory with a bundle and a state root; disposing it removes everything. */
export interface TestBundle extends Disposable {
  readonly directory: string;
  readonly root: string;
  readonly spec: RuntimeSpec;
  /** Writes `config.json` again after a change. */
  change(change: (spec: TestSpec) => void): void;
}

/** A configuration with the parts that tests change. */
export type TestSpec = RuntimeSpec & { process: Process; linux: NonNullable<RuntimeSpec['linux']> };

/** Makes a bundle of busybox that runs a shell script without a terminal. */
export function busyboxBundle(script: string): TestBundle {
  const directory = mkdtempSync(join(tmpdir(), 'oci-runtime-'));
  const rootfs = join(directory, 'rootfs');
  for (const name of ['bin', 'dev', 'etc', 'proc', 'sys', 'tmp', 'root']) {
    mkdirSync(join(rootfs, name), { recursive: true });
  }
  copyFileSync(busybox as string, join(rootfs, 'bin/busybox'));
  for (const applet of applets) symlinkSync('busybox', join(rootfs, 'bin', applet));
  writeFileSync(
    join(rootfs, 'etc/passwd'),
    'root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000::/home/app:/bin/sh\n',
  );
  writeFileSync(join(rootfs, 'etc/group'), 'root:x:0:\napp:x:1000:\nextra:x:2000:app\n');
  const isRoot = process.geteuid?.() === 0;
  const spec = defaultSpec({ rootless: !isRoot }) as TestSpec;
  spec.process.terminal = false;
  spec.process.args = ['sh', '-c', script];
  const write = (): void => writeFileSync(join(directory, 'config.json'), JSON.stringify(spec));
  write();
  return {
    directory,
    root: join(directory, 'state'),
    spec,
    change: (change) => {
      change(spec);
      write();
    },
    [Symbol.dispose]: () => rmSync(directory, { recursive: true, force: true }),
  };
}

/** What containers of a bundle left: state, groups named after their ids, mounts below the bundle. */
export function leftovers(bundle: TestBundle): string[] {
  const states = existsSync(bundle.root) ? readdirSync(bundle.root) : [];
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .filter((line) => line.includes(bundle.directory));
  const groups = findHierarchies()
    .map(({ mountPoint }) => `${mountPoint}/oci`)
    .filter((path) => existsSync(path))
    .flatMap((path) =>
      readdirSync(path, { withFileTypes: true })
        .filter((entry) => entry.isDirectory() && entry.name.startsWith(`t${process.pid}-`))
        .map(({ name }) => `${path}/${name}`),
    );
  return [...states, ...mounts, ...groups];
}

let last = 0;

/** An id that `leftovers` recognises. */
export function testId(): string {
  last += 1;
  return `t${process.pid}-${last}`;
}
