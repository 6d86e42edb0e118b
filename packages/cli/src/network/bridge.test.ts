import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { containerImage, until } from '../testing/containers.testkit.ts';
import {
  fetchCommand,
  hostAddress,
  type NetworkHome,
  networkHome,
  skipNetworks,
} from '../testing/network.testkit.ts';

const skip = skipNetworks(['iptables', 'iptables-save', 'bridge', 'host-local', 'portmap', 'firewall']);

interface Listed {
  readonly id: string;
  readonly name: string;
  readonly ports: readonly { readonly hostPort: number; readonly containerPort: number }[];
  readonly network: { readonly mode: string; readonly addresses: readonly string[] };
}

describe('oci run on a bridge', { skip, timeout: 300_000 }, () => {
  let home: NetworkHome;

  before(async () => {
    home = await networkHome();
  });
  after(() => home?.[Symbol.asyncDispose]());

  const run = (...args: readonly string[]) => home.oci('run', '--rm', ...args);
  const listed = async (name: string): Promise<Listed> => {
    const all = (await home.json('ps', '-a')) as Listed[];
    const found = all.find((container) => container.name === name);
    assert.ok(found, `no container ${name}`);
    return found;
  };
  /** Everything that containers of this home have made outside of themselves. */
  const leftovers = () => ({
    rules: home
      .run('iptables-save')
      .split('\n')
      .filter((line) => /10\.87\.|CNI-(?:DN-)?[0-9a-f]{10}/.test(line)),
    devices: home
      .run('ip', '-br', 'link')
      .split('\n')
      .filter((line) => /^(?:oci|veth)/.test(line)),
    state: readdirSync(join(home.directory, 'state')),
    mounts: home
      .run('cat', '/proc/self/mountinfo')
      .split('\n')
      .filter((line) => line.includes(home.directory)),
  });
  const nothing = { rules: [], devices: [], state: [], mounts: [] };

  test('is what root has by itself, said once; nothing is left of it', async () => {
    const script =
      'busybox ip -4 -o address show eth0; busybox ip route; cat /etc/hosts /etc/resolv.conf /etc/hostname';
    const first = await run('--hostname', 'box', containerImage, 'sh', '-c', script);
    assert.equal(first.status, 0, first.stderr);
    assert.match(first.stderr, /^network: bridge, the best that this host has; .*--network.*\n$/);
    assert.match(first.stdout, /inet 10\.87\.\d+\.2\/22/);
    assert.match(first.stdout, /default via 10\.87\.\d+\.1 dev eth0/);
    assert.match(first.stdout, /^127\.0\.0\.1\tlocalhost$/m);
    assert.match(first.stdout, /^10\.87\.\d+\.2\tbox$/m);
    assert.match(first.stdout, /^nameserver /m);
    assert.match(first.stdout, /\nbox\n$/);
    const second = await run(containerImage, 'true');
    assert.deepEqual(second, { status: 0, stdout: '', stderr: '' }, 'not said again');
    assert.deepEqual(leftovers(), nothing);
  });

  test('publishes ports, tells them, refuses those that are taken, and gives all back', async () => {
    const id = await home.serve('web', '-p', '8080:80', '-p', '80');
    const { ports, network } = await listed('web');
    const [, chosen] = ports;
    assert.ok(chosen !== undefined && chosen.hostPort >= 1024, 'a port was chosen');
    assert.equal(await home.fetch('127.0.0.1', 8080), 'hello\n');
    assert.equal(await home.fetch(hostAddress, 8080), 'hello\n');
    assert.equal(await home.fetch('127.0.0.1', chosen.hostPort), 'hello\n');
    const shown = `0.0.0.0:8080->80/tcp, 0.0.0.0:${chosen.hostPort}->80/tcp`;
    assert.ok((await home.ok('ps')).includes(shown));
    const taken = await run('-p', '8080:81', containerImage, 'true');
    assert.equal(taken.status, 125);
    assert.match(taken.stderr, new RegExp(`port 8080/tcp is published by container ${id.slice(0, 12)}`));
    await home.ok('stop', '-t', '0', 'web');
    await until(() => leftovers().rules.length === 0);
    assert.match(await home.ok('ps', '-a'), /exited \(137\)/);
    await home.ok('rm', 'web');
    assert.deepEqual(leftovers(), nothing);
    assert.equal(network.mode, 'bridge');
  });

  test('containers reach each other, the host, and share a network', async () => {
    const id = await home.serve('shared', '-p', '8084:80');
    const [address = ''] = (await listed('shared')).network.addresses;
    const fetched = async (...words: readonly string[]): Promise<string> => (await run(...words)).stdout;
    assert.equal(await fetched(containerImage, ...fetchCommand(address, 80)), 'hello\n');
    const named = ['--add-host', 'host.test:host-gateway', containerImage];
    assert.equal(await fetched(...named, ...fetchCommand('host.test', 8084)), 'hello\n');
    const joined = ['--network', 'container:shared', containerImage];
    assert.equal(await fetched(...joined, ...fetchCommand('127.0.0.1', 80)), 'hello\n');
    assert.equal(await fetched(...joined, 'cat', '/etc/hostname'), `${id.slice(0, 12)}\n`);
    await home.ok('rm', '-f', 'shared');
    assert.deepEqual(leftovers(), nothing);
  });

  test('a killed `oci run` leaves what the next command removes', async () => {
    const running = home.start('run', '--name', 'killed', '-p', '8081:80', containerImage, 'sleep', '1000');
    await until(async () => ((await home.json('ps')) as Listed[]).some(({ name }) => name === 'killed'));
    assert.ok(leftovers().rules.length > 0);
    running.kill('SIGKILL');
    await once(running, 'exit');
    await until(async () => ((await home.json('ps')) as Listed[]).length === 0);
    await home.ok('ps');
    assert.deepEqual({ ...leftovers(), state: [], mounts: [] }, nothing);
    await home.ok('rm', 'killed');
    assert.deepEqual(leftovers(), nothing);
  });

  test('a container in the background goes on when its supervisor is killed; `rm` disconnects it', async () => {
    const id = await home.serve('orphan', '-p', '8082:80');
    process.kill(supervisorOf(id), 'SIGKILL');
    assert.equal(await home.fetch('127.0.0.1', 8082), 'hello\n');
    await home.ok('rm', '--force', 'orphan');
    assert.deepEqual(leftovers(), nothing);
  });

  test('a port that the host itself uses is refused', async () => {
    const listening = home.start('serve', join(home.directory, 'store'), '--listen', '127.0.0.1:8083');
    listening.stderr?.resume();
    await until(
      async () => !/ECONN/.test(home.run('ss', '-ltn')) && home.run('ss', '-ltn').includes(':8083'),
    );
    const { status, stderr } = await run('-p', '127.0.0.1:8083:80', containerImage, 'true');
    listening.kill('SIGTERM');
    assert.equal(status, 125);
    assert.match(stderr, /port 127\.0\.0\.1:8083\/tcp is in use/);
    assert.deepEqual(leftovers(), nothing);
  });

  test('without iptables it says what to install', async () => {
    const hidden = `mount --bind /dev/null "$(readlink -f "$(PATH=$PATH:/usr/sbin:/sbin command -v iptables)")" && exec "$@"`;
    const { status, stderr } = await home.oci('run', '--network', 'bridge', containerImage, 'true');
    assert.equal(status, 0, stderr);
    const text = home.run(
      'unshare',
      '--mount',
      'sh',
      '-c',
      `${hidden}`,
      'sh',
      'sh',
      '-c',
      commandLine('run', '--network', 'bridge', containerImage, 'true'),
    );
    assert.match(
      text,
      /error: network bridge cannot be used: iptables is missing\nhint: Install the package iptables/,
    );
    assert.match(text, /exit 125/);
    await home.ok('rm', '--force', ...((await home.json('ps', '-a')) as Listed[]).map(({ id }) => id));
  });

  /** A command line of `oci` for a shell, with what it says and its exit code on standard output. */
  function commandLine(...args: readonly string[]): string {
    const store = `OCI_STORE='${join(home.directory, 'store')}' OCI_ROOT='${join(home.directory, 'state')}' NO_COLOR=1`;
    const program = readFileSync('/proc/self/cmdline', 'utf8').split('\0')[0] ?? process.execPath;
    return `${store} ${program} ${join(import.meta.dirname, '../../bin/oci.js')} ${args.join(' ')} 2>&1; echo exit $?`;
  }
});

/** The process that looks after a container. */
function supervisorOf(id: string): number {
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
      if (words.includes('supervise') && words.includes(id)) return Number(pid);
    } catch {
      // Ended meanwhile.
    }
  }
  throw new Error(`nobody looks after ${id}`);
}
