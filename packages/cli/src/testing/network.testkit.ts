import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type ContainerHome,
  containerHome,
  containerImage,
  skipContainers,
  until,
} from './containers.testkit.ts';

/** The one address that the private network has besides loopback, and its gateway, behind which nobody is. */
export const hostAddress = '198.51.100.2';

/** An ordinary user, without a name. */
const ordinaryUser = 54_321;

const setUp = [
  'set -e',
  // What `ip` and the plugins change is to be seen here alone.
  'mount --make-rprivate /',
  // On many hosts ordinary users may not open the device: they get one of their own.
  'mkdir -p /dev/net && mount -t tmpfs tmpfs /dev/net && mknod -m 0666 /dev/net/tun c 10 200',
  'ip link set lo up',
  'ip link add uplink0 type veth peer name uplink1',
  'ip link set uplink1 up && ip link set uplink0 up',
  `ip address add ${hostAddress}/24 dev uplink0`,
  'ip route add default via 198.51.100.1',
  'echo ready',
  'exec cat',
].join('\n');

/** `oci` in a network namespace of its own, which ends with this process and leaves nothing on the host. */
export interface NetworkHome extends ContainerHome {
  /** Starts a container that serves a page, `hello`, at its port 80, and waits until it does. */
  serve(name: string, ...flags: readonly string[]): Promise<string>;
  /** Serves the same page from the host itself, on its loopback, until it is disposed of. */
  hostServer(port: number): Disposable;
  /** Runs a program in the private network as root. */
  run(program: string, ...args: readonly string[]): string;
  /** The page at a port of the private network, or the code of what went wrong. */
  fetch(address: string, port: number): Promise<string>;
}

/** Why networks cannot be tested here, or false. */
export function skipNetworks(programs: readonly string[]): string | false {
  if (skipContainers !== false) return skipContainers;
  const missing = ['unshare', 'nsenter', 'setpriv', 'ip', ...programs].filter((program) => !isThere(program));
  if (missing.length > 0) return `needs ${missing.join(', ')}, not installed`;
  try {
    // Some kernels have neither network devices of this kind nor user namespaces.
    execFileSync('unshare', ['--mount', '--net', 'sh', '-c', setUp], { stdio: ['ignore', 'ignore', 'pipe'] });
    return false;
  } catch (error) {
    return `this kernel refuses: ${(error as { stderr?: unknown }).stderr}`.trim();
  }
}

function isThere(program: string): boolean {
  const path = `${process.env['PATH']}:/usr/sbin:/sbin:/usr/lib/cni`;
  try {
    execFileSync('sh', ['-c', `command -v "${program}"`], { env: { PATH: path }, stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Makes a home whose `oci` runs in a private network, as root or as an ordinary user. */
export async function networkHome({ asUser = false } = {}): Promise<NetworkHome> {
  const holder = spawn('unshare', ['--mount', '--net', 'sh', '-c', setUp], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const [line] = await once(holder.stdout, 'data');
  if (String(line).trim() !== 'ready') throw new Error(`no private network: ${line}`);
  const inside = ['nsenter', '--target', String(holder.pid), '--mount', '--net', '--'];
  const user = ['--reuid', String(ordinaryUser), '--regid', String(ordinaryUser), '--clear-groups'];
  const home = await containerHome({
    prefix: asUser ? [...inside, 'setpriv', ...user] : inside,
    env: { OCI_NETWORK: '', HOME: '/nonexistent' },
  });
  await mkdir(join(home.directory, 'www'));
  await writeFile(join(home.directory, 'www/index.html'), 'hello\n');
  if (asUser) {
    await chmod(home.directory, 0o755);
    execFileSync('chown', ['-R', `${ordinaryUser}:${ordinaryUser}`, home.directory]);
  }
  const [enter = '', ...words] = inside;
  return {
    ...home,
    async serve(name, ...flags) {
      const volume = `${join(home.directory, 'www')}:/www:ro`;
      const server = ['busybox', 'httpd', '-f', '-p', '80', '-h', '/www'];
      const id = await home.ok(
        'run',
        '-d',
        '--name',
        name,
        '-v',
        volume,
        ...flags,
        containerImage,
        ...server,
      );
      await until(
        async () => (await home.oci('exec', name, ...fetchCommand('127.0.0.1', 80))).stdout === 'hello\n',
      );
      return id.trim();
    },
    hostServer(port) {
      const words = ['busybox', 'httpd', '-f', '-p', `127.0.0.1:${port}`, '-h', join(home.directory, 'www')];
      const server = spawn(enter, [...inside.slice(1), ...words], { stdio: 'ignore' });
      return { [Symbol.dispose]: () => void server.kill('SIGKILL') };
    },
    run: (program, ...args) => execFileSync(enter, [...words, program, ...args], { encoding: 'utf8' }),
    async fetch(address, port) {
      const script = `require('node:http').get({ host: '${address}', port: ${port}, timeout: 20000 }, (answer) => answer.pipe(process.stdout))
        .on('timeout', () => process.exit(1)).on('error', (error) => process.stdout.write(String(error.code)));`;
      const child = spawn(enter, [...words, process.execPath, '-e', script], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      let text = '';
      for await (const chunk of child.stdout) text += chunk;
      return text;
    },
    async [Symbol.asyncDispose]() {
      try {
        await home[Symbol.asyncDispose]();
      } finally {
        holder.kill('SIGKILL');
      }
    },
  };
}

/** A shell command for a container that fetches a page. */
export function fetchCommand(address: string, port: number): readonly string[] {
  const request = "printf 'GET / HTTP/1.0\\r\\n\\r\\n'";
  return [
    'sh',
    '-c',
    `${request} | busybox timeout 10 busybox nc -w 10 ${address} ${port} | busybox tail -n 1`,
  ];
}
