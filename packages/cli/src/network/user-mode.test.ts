import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
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

for (const mode of ['pasta', 'slirp4netns'] as const) {
  describe(`oci run with ${mode}, as an ordinary user`, {
    skip: skipNetworks([mode]),
    timeout: 300_000,
  }, () => {
    let home: NetworkHome;

    before(async () => {
      home = await networkHome({ asUser: true });
    });
    after(() => home?.[Symbol.asyncDispose]());

    const run = (...args: readonly string[]) => home.oci('run', '--rm', '--network', mode, ...args);
    /** The processes that move packets in the private network. */
    const helpers = () =>
      home
        .run('ss', '-tunlpH')
        .split('\n')
        .filter((line) => /passt|pasta|slirp4netns/.test(line));
    const state = () => readdirSync(join(home.directory, 'state'));

    test('connects the container, and has ports of the host lead to it', async () => {
      await home.serve(
        'web',
        '--network',
        mode,
        '-p',
        '8080:80',
        '-p',
        '127.0.0.1:8090-8091:80-81',
        '-p',
        '5353:53/udp',
      );
      assert.equal(await home.fetch('127.0.0.1', 8080), 'hello\n');
      assert.equal(await home.fetch(hostAddress, 8080), 'hello\n');
      assert.equal(await home.fetch('127.0.0.1', 8090), 'hello\n');
      assert.equal(await home.fetch(hostAddress, 8090), 'ECONNREFUSED', 'bound to loopback alone');
      assert.match(await home.ok('ps'), /127\.0\.0\.1:8091->81\/tcp, 0\.0\.0\.0:5353->53\/udp/);
      const taken = await run('-p', '8080:80', containerImage, 'true');
      assert.equal(taken.status, 125);
      assert.match(taken.stderr, /port 8080\/tcp is in use/);
      await home.ok('rm', '--force', 'web');
      await until(() => helpers().length === 0);
      assert.deepEqual(state(), []);
    });

    test('keeps the loopback of the host to the host, unless it is asked for', async () => {
      using _server = home.hostServer(8092);
      await until(async () => (await home.fetch('127.0.0.1', 8092)) === 'hello\n');
      const asked = await run(
        '--add-host',
        'host.test:host-gateway',
        containerImage,
        ...fetchCommand('host.test', 8092),
      );
      assert.equal(asked.stdout, 'hello\n');
      const gateway = mode === 'pasta' ? '198.51.100.1' : '10.0.2.2';
      const closed = await run(containerImage, ...fetchCommand(gateway, 8092));
      assert.equal(closed.stdout, '');
    });

    test('names itself in /etc/hosts, and name servers in /etc/resolv.conf', async () => {
      const { stdout, stderr } = await run(
        ...['--hostname', 'box', '--dns-search', 'example.test', '--dns-option', 'ndots:2'],
        ...[containerImage, 'cat', '/etc/hosts', '/etc/resolv.conf'],
      );
      const own = mode === 'pasta' ? hostAddress : '10.0.2.100';
      assert.ok(stdout.includes(`\n${own}\tbox\n`), stderr + stdout);
      assert.match(stdout, mode === 'pasta' ? /^nameserver /m : /^nameserver 10\.0\.2\.3$/m);
      assert.match(stdout, /^search example\.test\noptions ndots:2$/m);
    });

    test('ends with a killed `oci run`, when the next command looks', async () => {
      const running = home.start(
        'run',
        '--name',
        'killed',
        '--network',
        mode,
        '-p',
        '8093:80',
        containerImage,
        'sleep',
        '1000',
      );
      await until(async () => (await home.ok('ps')).includes('killed'));
      assert.ok(helpers().length > 0);
      // The wrapper's child: what `nsenter` executes keeps its id.
      running.kill('SIGKILL');
      await once(running, 'exit');
      await until(async () => !(await home.ok('ps')).includes('killed'));
      await until(() => helpers().length === 0);
      await home.ok('rm', '--force', 'killed');
      assert.deepEqual(state(), []);
    });

    test('a port that the user may not have is refused', async () => {
      const { status, stderr } = await run('-p', '80:80', containerImage, 'true');
      assert.equal(status, 125);
      assert.match(stderr, /port 80\/tcp may not be used by an ordinary user/);
      assert.match(stderr, /hint: .*1024/);
    });
  });
}
