import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chown, mkdir, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type Outcome, ociProgram, type TestHome } from './oci.testkit.ts';

const user = { uid: 65_534, name: 'nobody' };
const ids = ['--reuid', String(user.uid), '--regid', String(user.uid), '--clear-groups'];

/** A line of /etc/subuid that gives the user of {@link ordinaryUser} ids. */
export const ownRanges: string = `${user.name}:200000:65536\n`;

const directories = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/bin', '/usr/bin'];

/** Why nobody can be an ordinary user here, or have these programs; false when they can. */
export function cannotBeOrdinary(...commands: readonly string[]): string | false {
  if (process.platform !== 'linux') return 'needs Linux';
  if (process.getuid?.() !== 0) return 'needs root, to become another user';
  const runs = (command: string, ...args: readonly string[]): boolean =>
    spawnSync(command, args, { stdio: 'ignore' }).status === 0;
  for (const name of commands)
    if (!directories.some((directory) => runs('test', '-x', join(directory, name))))
      return `needs ${name}, not installed`;
  if (!runs('setpriv', ...ids, process.execPath, ociProgram, '--version'))
    return 'the program lies where other users cannot read it';
  return (
    !runs('setpriv', ...ids, 'unshare', '--user', 'true') && 'ordinary users get no user namespaces here'
  );
}

/** Puts a device that everybody may open in the place of the host's, in mounts of one's own. */
const openFuse =
  'd=$(mktemp -d) && mount -t tmpfs tmpfs "$d" && mknod -m 666 "$d/fuse" c 10 229 && mount --bind "$d/fuse" /dev/fuse && umount -l "$d" && rmdir "$d"';

/** Why there can be no such user with `hasFuse`. */
export function cannotFuse(): string | false {
  const cannot = cannotBeOrdinary('fuse-overlayfs');
  if (cannot !== false) return cannot;
  const script = `${openFuse} && exec setpriv ${ids.join(' ')} sh -c ': < /dev/fuse'`;
  const { status } = spawnSync('unshare', ['--mount', 'sh', '-c', script], { stdio: 'ignore' });
  return status !== 0 && 'no device /dev/fuse can be made here';
}

/** `oci` as an ordinary user runs it. */
export interface OrdinaryUser {
  /** Belongs to the user. */
  readonly home: string;
  readonly store: string;
  /** Any program as this user, to its end. */
  run(...command: readonly string[]): Promise<Outcome>;
  oci(...args: readonly string[]): Promise<Outcome>;
  /** Starts `oci` so that it goes on. The child is `oci` itself. */
  start(...args: readonly string[]): ChildProcess;
}

/** How {@link ordinaryUser} is. */
export interface OrdinaryUserOptions {
  readonly name: string;
  /** Stands for /etc/subuid and /etc/subgid. */
  readonly ranges: string | undefined;
  /** What is to be found before the programs of the host. */
  readonly path?: string;
  /** May open /dev/fuse. */
  readonly hasFuse?: boolean;
}

/** Makes a user with a home of its own in a test's. */
export async function ordinaryUser(
  { directory, env: outer }: TestHome,
  { name, ranges, path, hasFuse = false }: OrdinaryUserOptions,
): Promise<OrdinaryUser> {
  const home = join(directory, name);
  const store = join(home, 'store');
  await mkdir(home);
  await chown(home, user.uid, user.uid);
  const file = join(directory, `${name}-ranges`);
  await writeFile(file, ranges ?? '');
  const words = ['mount --bind "$0" /etc/subuid', 'mount --bind "$0" /etc/subgid'];
  if (hasFuse) words.push(openFuse);
  const mounts = [...words, 'exec "$@"'].join(' && ');
  const own = { HOME: home, XDG_RUNTIME_DIR: home, OCI_STORE: store, OCI_ROOT: join(home, 'state') };
  const found = path === undefined ? {} : { PATH: [path, outer['PATH']].join(delimiter) };
  const start = (...command: readonly string[]): ChildProcess =>
    spawn('unshare', ['--mount', 'sh', '-c', mounts, file, 'setpriv', ...ids, ...command], {
      env: { ...outer, ...own, ...found },
      cwd: '/',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  async function run(...command: readonly string[]): Promise<Outcome> {
    const child = start(...command);
    const { stdout, stderr } = child;
    const closed = once(child, 'close') as Promise<[number | null]>;
    const [out, error, [status]] = await Promise.all([
      stdout === null ? '' : text(stdout),
      stderr === null ? '' : text(stderr),
      closed,
    ]);
    return { status, stdout: out.trim(), stderr: error };
  }
  const program = [process.execPath, ociProgram];
  return {
    home,
    store,
    run,
    oci: (...args) => run(...program, ...args),
    start: (...args) => start(...program, ...args),
  };
}
