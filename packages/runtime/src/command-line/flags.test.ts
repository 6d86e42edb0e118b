import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { listenFds } from '../env.ts';
import { busyboxBundle, cannotRunAsRoot, leftovers, testId } from '../testing/busybox-bundle.ts';
import { openLog } from './log.ts';

const skip = cannotRunAsRoot();
const entry = fileURLToPath(new URL('./entry.ts', import.meta.url));
const node = [process.execPath, '--conditions=source', entry];

test('sockets of systemd come first, then preserved descriptors', { skip }, () => {
  using bundle = busyboxBundle('echo $LISTEN_FDS $LISTEN_PID; cat <&3; cat <&4; ls /proc/self/fd');
  for (const name of ['one', 'two']) writeFileSync(join(bundle.directory, name), `${name}\n`);
  const call = `LISTEN_PID=$$ LISTEN_FDS=1 exec "$@" --root "${bundle.root}" run --preserve-fds 1 ${testId()} 3<one 4<two`;
  const { stdout, stderr } = spawnSync('sh', ['-c', call, 'sh', ...node], {
    cwd: bundle.directory,
    encoding: 'utf8',
  });
  assert.deepEqual([stdout, stderr], ['1 1\none\ntwo\n0\n1\n2\n3\n4\n5\n', '']);
  assert.equal(listenFds({ LISTEN_FDS: '3', LISTEN_PID: '1' }), 0);
  assert.equal(listenFds({ LISTEN_FDS: '3', LISTEN_PID: String(process.pid) }), 3);
  assert.deepEqual(leftovers(bundle), []);
});

test('another configuration, no cgroup, and a pidfd for whoever asks', { skip }, async () => {
  using bundle = busyboxBundle('cat /proc/self/cgroup');
  bundle.change((spec) => {
    spec.linux.namespaces = (spec.linux.namespaces ?? []).filter(({ type }) => type !== 'cgroup');
  });
  const config = join(bundle.directory, 'other.json');
  renameSync(join(bundle.directory, 'config.json'), config);
  const socketPath = join(bundle.directory, 'pidfd.sock');
  const server = createServer();
  server.listen(socketPath);
  await once(server, 'listening');
  try {
    const connected = once(server, 'connection') as Promise<[Socket]>;
    const child = spawn(
      node[0] as string,
      [
        ...node.slice(1),
        ...['--root', bundle.root, '--cgroup-manager', 'disabled', 'run', '--config', config],
        ...['--pidfd-socket', socketPath, '--bundle', bundle.directory, testId()],
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    const ended = once(child, 'exit');
    const [socket] = await connected;
    assert.equal(await text(socket), 'pidfd');
    const out = await text(child.stdout);
    assert.deepEqual(await ended, [0, null]);
    assert.equal(out, readFileSync('/proc/self/cgroup', 'utf8'));
  } finally {
    server.close();
  }
  assert.deepEqual(leftovers(bundle), []);
});

test('less important messages are left out', () => {
  using bundle = busyboxBundle('true');
  const file = join(bundle.directory, 'log');
  const [errors, level] = [[] as string[], 'error'] as const;
  const log = openLog({
    target: `file:${file}`,
    format: 'text',
    level,
    standardError: (line) => errors.push(line),
  });
  log.debug('a');
  log.warning('b');
  log.error('c');
  assert.match(readFileSync(file, 'utf8'), /^time="[^"]+" level=error msg="c"\n$/);
  assert.deepEqual(errors, ['c\n']);
});
