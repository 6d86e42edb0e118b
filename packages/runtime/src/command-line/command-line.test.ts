import assert from 'node:assert/strict';
import { type SpawnSyncReturns, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { busyboxBundle, cannotRunAsRoot, leftovers, testId } from '../testing/busybox-bundle.ts';
import { main } from './main.ts';

const skip = cannotRunAsRoot();
const entry = fileURLToPath(new URL('./entry.ts', import.meta.url));
const node = ['--conditions=source', entry];

/** Runs the command line in this process, which is much faster than a new one. */
async function inProcess(...argv: string[]): Promise<{ status: number; stdout: string; stderr: string }> {
  let [stdout, stderr] = ['', ''];
  const status = await main(argv, {
    standardOutput: (text) => {
      stdout += text;
    },
    standardError: (text) => {
      stderr += text;
    },
  });
  return { status, stdout, stderr };
}

function runtime(...argv: string[]): SpawnSyncReturns<string> {
  return spawnSync(process.execPath, [...node, ...argv], { encoding: 'utf8' });
}

test('the version is the first line, and names the specification', () => {
  const { stdout, status } = runtime('--version');
  assert.equal(status, 0);
  assert.match(stdout, /^oci-runtime version \d+\.\d+\.\d+\nspec: 1\.\d+\.\d+\n/);
});

test('help is printed for all and for one command', async () => {
  assert.match((await inProcess('--help')).stdout, /COMMANDS:[\s\S]*create[\s\S]*--root VALUE/);
  assert.match((await inProcess('create', '--help')).stdout, /--console-socket VALUE/);
});

test('the debug log has the flags that the seccomp filter is loaded with', { skip }, async () => {
  using bundle = busyboxBundle('exec true');
  const { root, directory } = bundle;
  const flagsOf = async (flags?: readonly string[]): Promise<string | undefined> => {
    const names = flags?.map((name) => `SECCOMP_FILTER_FLAG_${name}`);
    bundle.change(({ linux }) => {
      linux.seccomp = { defaultAction: 'SCMP_ACT_ALLOW', ...(names && { flags: names as never }) };
    });
    const id = testId();
    const { stderr } = await inProcess('--root', root, '--debug', 'create', '--bundle', directory, id);
    assert.equal((await inProcess('--root', root, 'delete', '--force', id)).status, 0);
    return /msg="seccomp filter flags: (\d+)"/.exec(stderr)?.[1];
  };
  assert.equal(await flagsOf(), '4');
  assert.equal(await flagsOf([]), '0');
  assert.equal(await flagsOf(['TSYNC', 'LOG']), '2');
});

test('mistakes are failures with the words that callers of runc look for', async () => {
  const mistakes: [string[], RegExp][] = [
    [['foo'], /No help topic for 'foo'/],
    [['constructor'], /No help topic for 'constructor'/],
    [['state'], /requires exactly 1 argument/],
    [['state', 'a', 'b'], /requires exactly 1 argument/],
    [['state', '--nothing', 'a'], /flag provided but not defined: -nothing/],
    [['--root', '/nonexistent/state', 'state', 'none'], /container none does not exist/],
    [['--root', '/nonexistent/state', 'kill', 'none', '9'], /does not exist/],
    [['--root', '/nonexistent/state', 'start', 'none'], /does not exist/],
    [['--root', '/nonexistent/state', 'delete', 'none'], /does not exist/],
    [['--root', '/nonexistent/state', 'state', '../x'], /invalid container id/],
    [['--cgroup-manager', 'other', 'state', 'x'], /invalid value for --cgroup-manager: other/],
    [['--log-format', 'xml', 'state', 'x'], /invalid log-format/],
    [['list', '-f', 'xml'], /invalid format option/],
  ];
  for (const [argv, message] of mistakes) {
    const { status, stderr, stdout } = await inProcess(...argv);
    assert.equal(status, 1, argv.join(' '));
    assert.match(stderr, message);
    assert.equal(stdout, '');
  }
});

test('a forced deletion of what is not there succeeds; nothing to list is no failure', async () => {
  assert.equal((await inProcess('--root', '/nonexistent/state', 'delete', '--force', 'none')).status, 0);
  // A directory that was named is meant to be there; the default one need not.
  assert.match((await inProcess('--root', '/nonexistent/state', 'list', '-q')).stderr, /no such file/);
  process.env['OCI_ROOT'] = '/nonexistent/state';
  assert.equal((await inProcess('list', '-q')).stdout, '');
  assert.equal((await inProcess('list', '--format=json')).stdout, '[]\n');
  assert.match((await inProcess('list')).stdout, /^ID +PID +STATUS +BUNDLE +CREATED +OWNER\n$/);
});

test('spec writes a configuration once', async () => {
  using bundle = busyboxBundle('true');
  const directory = join(bundle.directory, 'rootfs');
  assert.equal((await inProcess('spec', '-b', directory)).status, 0);
  assert.match(readFileSync(join(directory, 'config.json'), 'utf8'), /^\{\n\t"ociVersion": "1\.0\.2"/);
  const again = await inProcess('spec', '--bundle', directory);
  assert.equal(again.status, 1);
  assert.match(again.stderr, /exists. Remove it first/);
});

test('the log is a file of JSON lines; the error reaches standard error too', async () => {
  using bundle = busyboxBundle('true');
  const log = join(bundle.directory, 'log');
  const { status, stderr } = await inProcess(
    '--log',
    log,
    '--log-format',
    'json',
    '--root',
    bundle.root,
    'state',
    'none',
  );
  assert.equal(status, 1);
  assert.equal(stderr, 'container none does not exist\n');
  const line = JSON.parse(readFileSync(log, 'utf8')) as Record<string, string>;
  assert.deepEqual(Object.keys(line), ['level', 'msg', 'time']);
  assert.equal(line['level'], 'error');
  assert.equal(line['msg'], 'container none does not exist');
});

test('the life of a container, command by command', { skip }, async () => {
  using bundle = busyboxBundle('exec sleep 1000');
  const [id, { root, directory }] = [testId(), bundle];
  const call = (...argv: string[]): ReturnType<typeof inProcess> => inProcess('--root', root, ...argv);
  const created = spawnSync(process.execPath, [...node, '--root', root, 'create', '--pid-file', 'pid', id], {
    cwd: directory,
    stdio: ['ignore', 'ignore', 'inherit'],
    timeout: 120_000,
  });
  assert.equal(created.status, 0);
  const before = JSON.parse((await call('state', id)).stdout) as Record<string, unknown>;
  assert.equal(before['status'], 'created');
  assert.equal(String(before['pid']), readFileSync(join(directory, 'pid'), 'utf8'));
  assert.equal((await call('start', id)).status, 0);
  assert.match((await call('list')).stdout, new RegExp(`${id} +\\d+ +running`));
  assert.equal((await call('delete', id)).status, 1);
  assert.equal((await call('kill', id, 'KILL')).status, 0);
  assert.equal((await call('delete', '--force', id)).status, 0);
  assert.deepEqual(leftovers(bundle), []);
});

test('run passes output and exit code through, and a signal to the container', { skip }, async () => {
  using bundle = busyboxBundle('echo out; echo err >&2; exit 5');
  const { root, directory } = bundle;
  const result = runtime('--root', root, 'run', '-b', directory, testId());
  assert.deepEqual([result.status, result.stdout, result.stderr], [5, 'out\n', 'err\n']);

  bundle.change((spec) => {
    spec.process.args = ['sh', '-c', 'trap "exit 9" TERM; echo ready; while :; do sleep 0.1; done'];
  });
  const child = spawn(process.execPath, [...node, '--root', root, 'run', '-b', directory, testId()], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  await once(child.stdout, 'data');
  child.kill('SIGTERM');
  assert.deepEqual(await ended, [9, null]);
  assert.deepEqual(leftovers(bundle), []);
});

test('a missing command is named as podman and docker look for it', { skip }, () => {
  using bundle = busyboxBundle('true');
  bundle.change((spec) => {
    spec.process.args = ['no-such-command'];
  });
  const { status, stderr } = runtime('--root', bundle.root, 'run', '-b', bundle.directory, testId());
  assert.equal(status, 1);
  assert.match(stderr, /executable file not found in \$PATH/);
  assert.equal(existsSync(bundle.root) && leftovers(bundle).length > 0, false);
});

test('an interrupted creation cleans up', { skip }, async () => {
  using bundle = busyboxBundle('true');
  bundle.change((spec) => {
    spec.hooks = {
      createRuntime: [
        { path: '/bin/sh', args: ['sh', '-c', 'touch hook; exec sleep 60'], env: ['PATH=/usr/bin:/bin'] },
      ],
    };
  });
  const child = spawn(
    process.execPath,
    [...node, '--root', bundle.root, 'create', '-b', bundle.directory, testId()],
    {
      stdio: 'ignore',
    },
  );
  const ended = once(child, 'exit');
  const deadline = Date.now() + 120_000;
  while (!existsSync(join(bundle.directory, 'hook')) && Date.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  child.kill('SIGTERM');
  assert.deepEqual(await ended, [143, null]);
  assert.deepEqual(leftovers(bundle), []);
});

test('short commands load neither system calls nor what starts processes', { skip }, async () => {
  using bundle = busyboxBundle('exec sleep 1000 <&- >&- 2>&-');
  const id = testId();
  const created = spawnSync(
    process.execPath,
    [...node, '--root', bundle.root, 'create', '-b', bundle.directory, id],
    // The container keeps the streams: with pipes nobody would see their end.
    { stdio: ['ignore', 'ignore', 'inherit'] },
  );
  assert.equal(created.status, 0);
  const report = `data:text/javascript,process.on('exit', () => {
    const names = process.moduleLoadList.filter((name) => / (child_process|crypto|net)$/.test(name));
    const addons = process.report.getReport().sharedObjects.filter((path) => path.endsWith('.node'));
    if (names.length + addons.length > 0) console.error('LOADED', ...names, ...addons);
  })`;
  const calls = [
    ['state', id],
    ['start', id],
    ['kill', id, 'USR1'],
    ['list'],
    ['pause', id],
    ['delete', '--force', id],
  ];
  for (const argv of calls) {
    const { status, stderr } = spawnSync(
      process.execPath,
      ['--import', report.replaceAll('\n', ' '), ...node, '--root', bundle.root, ...argv],
      { encoding: 'utf8' },
    );
    assert.deepEqual([status, stderr], [0, ''], argv.join(' '));
  }
  assert.deepEqual(leftovers(bundle), []);
});
