import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, readdir, writeFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { openStore } from '@ocijs/image';
import { command } from '../kit/command.ts';
import { busyboxImage } from '../kit/images.ts';
import { type Belongings, belongings, leftovers } from '../kit/leftovers.ts';
import { type OciHome, oci, ociHome, ociProgram } from '../kit/oci.ts';
import { missing } from '../kit/requirements.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../kit/temporary.ts';

const name = 'example.test/busybox:latest';

describe('oci run', { skip: missing({ commands: ['busybox'] }), timeout: 300_000 }, () => {
  let temporary: TemporaryDirectory;
  let home: OciHome;
  let found: Belongings;

  before(async () => {
    temporary = await temporaryDirectory();
    found = belongings(temporary.path);
    home = ociHome(temporary.path);
    await using store = await openStore(home.store);
    await busyboxImage(store, name);
  });

  after(async () => {
    const left = await leftovers(temporary.path, found);
    await temporary?.[Symbol.asyncDispose]();
    assert.deepEqual(left, { mounts: [], cgroups: [], processes: [] });
  });

  const run = (...args: string[]) => oci(home, ['run', '--rm', ...args]);

  test('uses what the image says: command, environment, working directory', async () => {
    const result = await oci(home, ['run', '--rm', '-i', name], {
      input: 'echo $GREETING from $(hostname); pwd; cat /etc/motd; ls /etc\n',
    });
    assert.equal(result.status, 0, result.stderr);
    assert.match(result.stdout, /^hello from \S+\n\/root\nhello\n/);
    assert.ok(!result.stdout.includes('gone'), 'the whiteout took effect');
  });

  test('passes the exit code and the signal through', async () => {
    assert.equal((await run(name, 'sh', '-c', 'exit 3')).status, 3);
    assert.equal((await run(name, 'sh', '-c', 'sh -c "kill -KILL \\$\\$"; exit $?')).status, 137);
  });

  test('says 127 for a command that is not there, and 126 for one that cannot be executed', async () => {
    const absent = await run(name, 'no-such-command');
    assert.equal(absent.status, 127);
    assert.match(absent.stderr, /no-such-command/);
    assert.doesNotMatch(absent.stderr, /\n\s+at /, 'no stack trace');
    assert.equal((await run(name, '/etc/passwd')).status, 126);
    assert.equal((await oci(home, ['run', '--pull', 'never', 'example.test/absent', 'true'])).status, 125);
  });

  test('isolates: own pids, hostname, mounts, network, few capabilities', async () => {
    const script =
      'id -u; hostname; ls /proc | head -20; cat /proc/self/status; cat /proc/mounts; ls /sys/class/net';
    const { stdout, stderr, status } = await run('--hostname', 'isolated', name, 'sh', '-c', script);
    assert.equal(status, 0, stderr);
    assert.match(stdout, /^0\nisolated\n1\n/, 'root, hostname, and pid 1 first in /proc');
    assert.match(stdout, /^CapBnd:\t00000000a80425fb$/m);
    assert.doesNotMatch(stdout, new RegExp(temporary.path), 'no path of the host');
    assert.match(stdout, /\nlo\n$/, 'nothing but loopback');
  });

  test('runs as the user that is asked for, with the supplementary groups of the image', async () => {
    const { stdout, stderr } = await run('--user', 'app', name, 'id');
    if (process.getuid?.() === 0)
      assert.match(stdout, /^uid=1000\(app\) gid=1000\(app\) groups=.*2000\(extra\)/, stderr);
  });

  test('edits what flags say: -e, -w, --entrypoint, --read-only, -v', async () => {
    const shared = `${temporary.path}/shared`;
    await mkdir(shared);
    await writeFile(`${shared}/file`, 'from the host\n');
    const script = 'echo $A; pwd; cat /mnt/file; echo x > /x || echo read-only';
    const flags = ['-e', 'A=b', '-w', '/tmp', '--entrypoint', 'sh', '--read-only', '-v', `${shared}:/mnt:ro`];
    const { stdout, stderr } = await run(...flags, name, '-c', script);
    assert.equal(stdout, 'b\n/tmp\nfrom the host\nread-only\n', stderr);
  });

  test('--volume makes a source that is missing, --mount refuses it, and no container is left', async () => {
    const source = `${temporary.path}/made`;
    const refused = await run('--mount', `type=bind,src=${source},dst=/mnt`, name, 'true');
    assert.equal(refused.status, 2);
    assert.match(
      refused.stderr,
      /--mount source .*made cannot be used: no such file or directory\nhint: make it first/,
    );
    assert.equal((await run('--volume', `${source}:/mnt`, name, 'ls', '/mnt')).status, 0);
    assert.equal((await run('--mount', `type=bind,src=${source},dst=/mnt`, name, 'true')).status, 0);
    assert.deepEqual(JSON.parse((await oci(home, ['ps', '--all', '--json'])).stdout), []);
  });

  test('-it gives a usable shell on a terminal', { skip: missing({ commands: ['script'] }) }, async () => {
    const line = [process.execPath, ociProgram, 'run', '--rm', '-it', name, 'sh']
      .map((word) => `'${word}'`)
      .join(' ');
    const child = spawn('script', ['-qec', `stty rows 33 cols 101; ${line}`, '/dev/null'], {
      env: { ...process.env, OCI_STORE: home.store, OCI_ROOT: home.root, OCI_NETWORK: 'none' },
      stdio: 'pipe',
    });
    let output = '';
    child.stdout.on('data', (chunk) => {
      output += chunk;
    });
    await until(
      () => output.includes('# ') || output.includes('$ '),
      () => output,
    );
    child.stdin.write('stty size; tty; echo marker-$((40+2))\n');
    await until(
      () => output.includes('marker-42'),
      () => output,
    );
    assert.match(output, /33 101/, 'the size of the terminal');
    assert.match(output, /\/dev\/(pts\/0|console)/);
    child.stdin.write('sleep 60\n');
    await sleep(500);
    child.stdin.write('\x03'); // Ctrl-C ends the sleep, not the shell
    child.stdin.write('echo still-$((40+3)); exit 5\n');
    const [status] = await once(child, 'exit');
    assert.match(output, /still-43/);
    assert.equal(status, 5);
  });

  test('Ctrl-C ends it, and nothing is left', async () => {
    const child = spawn(process.execPath, [ociProgram, 'run', '--rm', name, 'sleep', '300'], {
      env: { ...process.env, OCI_STORE: home.store, OCI_ROOT: home.root, OCI_NETWORK: 'none' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    await until(async () => JSON.parse((await oci(home, ['ps', '--json'])).stdout).length === 1);
    child.kill('SIGINT');
    child.kill('SIGTERM');
    const [status, signal] = await once(child, 'exit');
    assert.ok(signal === null && [130, 137, 143].includes(status), `${status} ${signal}`);
    assert.deepEqual(JSON.parse((await oci(home, ['ps', '--all', '--json'])).stdout), []);
    assert.deepEqual(await containers(), []);
  });

  test('without --rm the stopped container stays for ps and goes with rm', async () => {
    const result = await oci(home, ['run', '--name', 'stays', name, 'sh', '-c', 'exit 9']);
    assert.equal(result.status, 9, result.stderr);
    assert.deepEqual(JSON.parse((await oci(home, ['ps', '--json'])).stdout), []);
    const all = JSON.parse((await oci(home, ['ps', '--all', '--json'])).stdout);
    assert.equal(all.length, 1);
    assert.match(JSON.stringify(all[0]), /stays/);
    const again = await oci(home, ['run', '--name', 'stays', name, 'true']);
    assert.equal(again.status, 125, 'the name is taken');
    assert.equal((await oci(home, ['rm', 'stays'])).status, 0);
    assert.deepEqual(JSON.parse((await oci(home, ['ps', '--all', '--json'])).stdout), []);
  });

  test('unpacks an image once; gc removes its layers when neither image nor container needs them', async () => {
    const own = ociHome(`${temporary.path}/collected`);
    await using store = await openStore(own.store);
    await busyboxImage(store, name);
    for (let round = 0; round < 2; round++)
      assert.equal((await oci(own, ['run', '--rm', name, 'true'])).status, 0);
    const collect = async (): Promise<string[]> =>
      JSON.parse((await oci(own, ['gc', '--grace', '0', '--json'])).stdout).snapshots;
    assert.deepEqual(await collect(), [], 'the image has a name');
    assert.equal((await oci(own, ['rmi', name])).status, 0);
    assert.equal((await collect()).length, 2);
  });

  test('limits memory and pids', { skip: missing({ root: true }) }, async () => {
    const forks = await run(
      '--pids-limit',
      '5',
      name,
      'sh',
      '-c',
      'for i in 1 2 3 4 5 6 7 8; do sleep 1 & done; wait',
    );
    assert.notEqual(forks.status, 0);
    assert.match(forks.stderr, /fork|Resource temporarily unavailable/);
    const memory = await run('--memory', '8m', name, 'sh', '-c', 'x=1234567890; while true; do x=$x$x; done');
    assert.notEqual(memory.status, 0);
    assert.equal((await run('--memory', '512k', name, 'true')).status, 0, 'a container works with 512 KiB');
  });

  test('an ordinary user runs it too', { skip: missing({ root: true, commands: ['setpriv'] }) }, async () => {
    const rootless = `${temporary.path}/rootless`;
    await mkdir(rootless);
    await chmod(temporary.path, 0o755);
    await chmod(rootless, 0o777);
    const own = ociHome(rootless);
    const { SHELL: _shell, ...inherited } = process.env;
    const env = {
      ...inherited,
      HOME: rootless,
      XDG_RUNTIME_DIR: rootless,
      OCI_STORE: own.store,
      OCI_ROOT: own.root,
      OCI_NETWORK: 'none',
    };
    const as = (...args: string[]) =>
      command(
        'setpriv',
        ['--reuid', '54321', '--regid', '54321', '--clear-groups', process.execPath, ociProgram, ...args],
        { env, cwd: '/' },
      );
    const imported = `oci:${home.store}:${name}`;
    await command('chmod', ['-R', 'a+rX', home.store]);
    const result = await as(
      'run',
      '--rm',
      imported,
      'sh',
      '-c',
      'id -u; hostname; cat /proc/self/uid_map; cat /etc/motd; exit 6',
    );
    assert.equal(result.status, 6, result.stderr);
    assert.match(result.stdout, /^0\n\S+\n\s+0\s+54321\s+1\nhello\n$/);
  });

  async function containers(): Promise<string[]> {
    return readdir(home.root).catch(() => []);
  }
});

async function until(
  condition: () => boolean | Promise<boolean>,
  describe: () => string = () => '',
): Promise<void> {
  for (let attempt = 0; attempt < 300; attempt++) {
    if (await condition()) return;
    await sleep(100);
  }
  assert.fail(`still not so after 30 s: ${describe()}`);
}
