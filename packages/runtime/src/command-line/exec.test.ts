import assert from 'node:assert/strict';
import { type SpawnSyncReturns, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { busyboxBundle, cannotRunAsRoot, type TestBundle, testId } from '../testing/busybox-bundle.ts';

const hasRunc = spawnSync('runc', ['--version']).status === 0;
const skip = cannotRunAsRoot();
const skipWithoutRunc = skip || (hasRunc ? false : 'runc is not installed');
const entry = fileURLToPath(new URL('./entry.ts', import.meta.url));

type Call = (...argv: string[]) => SpawnSyncReturns<string>;

function caller(program: string, argv: readonly string[]): Call {
  return (...more) =>
    spawnSync(program, [...argv, ...more], { encoding: 'utf8', input: '', timeout: 60_000 });
}

const ours = (root: string): Call => caller(process.execPath, ['--conditions=source', entry, '--root', root]);

/** A running container, and how to call a runtime on it; both are gone afterwards. */
function running(bundle: TestBundle, call: Call): Disposable & { readonly id: string } {
  const id = testId();
  const { status, stderr } = spawnDetached(call, bundle.directory, id);
  assert.equal(status, 0, stderr);
  return { id, [Symbol.dispose]: () => void call('delete', '--force', id) };
}

function spawnDetached(call: Call, directory: string, id: string): { status: number | null; stderr: string } {
  // The container keeps the streams: with pipes nobody would see their end.
  const created = call('run', '--detach', '--bundle', directory, '--pid-file', join(directory, 'pid'), id);
  return created;
}

const show =
  'id -u; id -g; id -G; pwd; env | busybox sort; busybox grep -E "^(Cap|NoNewPrivs|Groups)" /proc/self/status';

const same: readonly (readonly string[])[] = [
  [],
  ['--cwd', '/tmp', '-e', 'A=1', '-e', 'B=2', '-e', 'PATH=/bin'],
  ['-u', '1000'],
  ['--user', '1000:2000', '-g', '10', '-g', '20'],
  ['--cap', 'CAP_NET_RAW', '--cap', 'CAP_SYS_CHROOT'],
  ['--no-new-privs'],
  ['--user=0:5', '--cwd=/etc'],
];

test('exec does what runc does with the same flags', { skip: skipWithoutRunc }, () => {
  using bundle = busyboxBundle('exec sleep 1000 <&- >&- 2>&-');
  bundle.change((spec) => {
    spec.process.noNewPrivileges = false;
  });
  const [left, right] = [ours(bundle.root), caller('runc', ['--root', join(bundle.directory, 'runc')])];
  using one = running(bundle, left);
  using other = running(bundle, right);
  for (const flags of same) {
    const [mine, theirs] = [
      left('exec', ...flags, one.id, 'sh', '-c', `${show}; exit 9`),
      right('exec', ...flags, other.id, 'sh', '-c', `${show}; exit 9`),
    ];
    assert.deepEqual([mine.status, mine.stdout], [theirs.status, theirs.stdout], flags.join(' '));
  }
  const file = join(bundle.directory, 'process.json');
  const spec = { args: ['sh', '-c', show], cwd: '/', env: ['PATH=/bin'], user: { uid: 1000 } };
  writeFileSync(file, JSON.stringify(spec));
  const mine = left('exec', '--process', file, one.id);
  assert.deepEqual([mine.status, mine.stdout], [0, right('exec', '-p', file, other.id).stdout]);
});

test('a failure of its own is 255, and says what was wrong', { skip }, () => {
  using bundle = busyboxBundle('exec sleep 1000 <&- >&- 2>&-');
  const call = ours(bundle.root);
  using container = running(bundle, call);
  const { id } = container;
  const mistakes: [string[], RegExp][] = [
    [['none', 'true'], /exec failed: container none does not exist/],
    [[id, 'missing'], /exec failed: executable file not found in \$PATH/],
    [[id], /exec args cannot be empty/],
    [['-u', '4294967296', id, 'true'], /bad uid/],
    [['-u', '-1', id, 'true'], /bad uid/],
    [['-u', '1:', id, 'true'], /bad gid/],
    [['-u', 'app', id, 'true'], /bad uid/],
    [['-d', '-t', id, 'true'], /cannot allocate tty/],
    [['--console-socket', '/x', id, 'true'], /cannot use console socket/],
    [['--preserve-fds', '2', id, 'true'], /descriptor 3 to preserve is not open/],
  ];
  for (const [argv, message] of mistakes) {
    const { status, stderr } = call('exec', ...argv);
    assert.equal(status, 255, argv.join(' '));
    assert.match(stderr, message);
  }
  assert.equal(call('exec').status, 1);
  assert.equal(call('exec', '-u', '01', id, 'id', '-u').stdout, '1\n');
});

test('signals reach the process; a detached one goes on', { skip }, async () => {
  using bundle = busyboxBundle('exec sleep 1000 <&- >&- 2>&-');
  const call = ours(bundle.root);
  using container = running(bundle, call);
  const script = 'trap "exit 6" TERM; echo ready; while :; do sleep 0.05; done';
  const child = spawn(
    process.execPath,
    ['--conditions=source', entry, '--root', bundle.root, 'exec', container.id, 'sh', '-c', script],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const ended = once(child, 'exit');
  await once(child.stdout, 'data');
  child.kill('SIGTERM');
  assert.deepEqual(await ended, [6, null]);

  const pidFile = join(bundle.directory, 'exec.pid');
  const detached = 'exec sleep 1001 <&- >&- 2>&-';
  const { status } = call('exec', '--detach', '--pid-file', pidFile, container.id, 'sh', '-c', detached);
  assert.equal(status, 0);
  const pid = readFileSync(pidFile, 'utf8');
  assert.match(pid, /^\d+$/);
  assert.ok(existsSync(`/proc/${pid}`));
});
