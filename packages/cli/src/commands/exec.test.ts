import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import {
  type ContainerHome,
  containerHome,
  containerImage,
  skipContainers,
  until,
} from '../testing/containers.testkit.ts';
import { ociProgram } from '../testing/oci.testkit.ts';

const hasScript = existsSync('/usr/bin/script');

describe('oci exec', { skip: skipContainers, timeout: 300_000 }, () => {
  let home: ContainerHome;
  let id: string;

  before(async () => {
    home = await containerHome();
    const flags = ['-e', 'OWN=1', '-w', '/tmp', '--memory', '256m'];
    id = await home.background('web', 'echo ready; while true; do sleep 0.1; done', ...flags);
  });
  after(() => home?.[Symbol.asyncDispose]());

  test('runs in the namespaces of the container, with its environment and directory', async () => {
    const script = 'echo $GREETING $OWN $(pwd) $(id -u) $HOSTNAME; grep -c . /proc/1/cmdline';
    assert.equal(await home.ok('exec', 'web', 'sh', '-c', script), `hello 1 /tmp 0 ${id.slice(0, 12)}\n1\n`);
  });

  test('-e, -w, -u and --privileged change what they name', async () => {
    const script = 'echo $GREETING $HOME $(pwd) $(id -u):$(id -g)';
    const flags = ['-e', 'GREETING=bye', '--workdir', '/etc', '-u', 'app'];
    assert.equal(
      await home.ok('exec', ...flags, id.slice(0, 8), 'sh', '-c', script),
      'bye /home/app /etc 1000:1000\n',
    );
    const bounding = ['sh', '-c', 'grep CapBnd /proc/self/status'];
    assert.equal(await home.ok('exec', 'web', ...bounding), 'CapBnd:\t00000000a80425fb\n');
    const own = /^CapBnd:\t\w+$/m.exec(
      await home.ok('run', '--rm', '--privileged', containerImage, ...bounding),
    );
    assert.equal(await home.ok('exec', '--privileged', 'web', ...bounding), `${own?.[0]}\n`);
  });

  test('passes the code and the signal through; says 125, 126 and 127', async () => {
    const status = async (...words: string[]): Promise<number | null> =>
      (await home.oci('exec', ...words)).status;
    assert.equal(await status('web', 'sh', '-c', 'exit 3'), 3);
    assert.equal(await status('web', 'sh', '-c', 'kill -TERM $$'), 143);
    assert.equal(await status('web', 'no-such-command'), 127);
    assert.equal(await status('web', '/etc/passwd'), 126);
    assert.equal(await status('absent', 'true'), 125);
    assert.equal(await status('web'), 2);
    assert.equal(await status('-it', 'web', 'sh'), 2);
    assert.equal(await status('--frobnicate', 'web', 'sh'), 2);
  });

  test('flags after the container belong to the command', async () => {
    assert.equal(await home.ok('exec', 'web', 'echo', '--json', '-q', '--help'), '--json -q --help\n');
  });

  test('-i gives standard input', async () => {
    const child = spawn(process.execPath, [ociProgram, 'exec', '-i', 'web', 'cat'], {
      env: home.env,
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    let output = '';
    child.stdout.on('data', (data) => {
      output += data;
    });
    child.stdin.end('through\n');
    assert.deepEqual(await once(child, 'close'), [0, null]);
    assert.equal(output, 'through\n');
  });

  test('signals are forwarded, and end what does not handle them with their own code', async () => {
    const script = 'trap "echo told; exit 4" TERM; echo ready; while true; do sleep 0.1; done';
    for (const [command, expected] of [
      [['sh', '-c', script], 4],
      [['sh', '-c', 'echo ready; while true; do sleep 0.1; done'], 143],
    ] as const) {
      const child = home.start('exec', 'web', ...command);
      let output = '';
      child.stdout?.on('data', (data) => {
        output += data;
      });
      const ended = once(child, 'close');
      await until(() => output.includes('ready'));
      child.kill('SIGTERM');
      assert.equal((await ended)[0], expected);
      assert.equal(output, expected === 4 ? 'ready\ntold\n' : 'ready\n');
    }
  });

  test('-d leaves the command running, and says when it cannot be started', async () => {
    const script = 'while test ! -e /tmp/go; do sleep 0.1; done; echo $WHO > /tmp/done';
    const started = JSON.parse(
      await home.ok('exec', '-d', '--json', '-e', 'WHO=me', 'web', 'sh', '-c', script),
    );
    assert.equal(started.id, id);
    assert.ok(existsSync(`/proc/${started.pid}`), 'it waits for what comes now');
    assert.equal(await home.ok('exec', 'web', 'sh', '-c', 'echo > /tmp/go'), '');
    const read = ['exec', 'web', 'cat', '/tmp/done'] as const;
    await until(async () => (await home.oci(...read)).stdout === 'me\n');
    assert.equal((await home.oci('exec', '-d', 'web', 'no-such-command')).status, 127);
  });

  test('-it gives a terminal, which follows the size of ours', {
    skip: !hasScript && 'needs script',
  }, async () => {
    const words = [process.execPath, ociProgram, 'exec', '-it', 'web', 'sh'].map((word) => `'${word}'`);
    // Beside the command, something changes the size of the outer terminal when it is told to.
    const resize = join(home.directory, 'resize');
    const shell = `stty rows 33 cols 101; (while test ! -e ${resize}; do sleep 0.1; done; stty rows 44 cols 55) </dev/tty & ${words.join(' ')}`;
    const child = spawn('script', ['-qec', `sh -c "${shell}"`, '/dev/null'], {
      env: home.env,
      stdio: 'pipe',
    });
    let output = '';
    child.stdout.on('data', (data) => {
      output += data;
    });
    const ended = once(child, 'exit');
    await until(() => output.includes('# '));
    child.stdin.write('stty size; test -t 0 && echo marker-$((40+2))\n');
    await until(() => output.includes('marker-42'));
    assert.match(output, /33 101/);
    child.stdin.write('while test "$(stty size)" != "44 55"; do sleep 0.1; done; echo size-$((40+3))\n');
    await home.ok('exec', 'web', 'true');
    await writeFile(resize, '');
    await until(() => output.includes('size-43'));
    child.stdin.write('exit 6\n');
    assert.equal((await ended)[0], 6);
  });

  test('an ended container is refused with what to do', async () => {
    await home.ok('run', '--name', 'ended', containerImage, 'true');
    const { status, stderr } = await home.oci('exec', 'ended', 'true');
    assert.equal(status, 125);
    assert.match(stderr, /container ended is not running: exited \(0\)/);
    assert.match(stderr, /oci run/);
  });
});
