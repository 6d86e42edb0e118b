/**
 * What an ordinary user does with a container, run by rootless.test.ts as one:
 *
 *   node rootless.ts own|ranges GROUP     GROUP is a cgroup that belongs to the user, from the root of each hierarchy
 */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { findHierarchies, isUnified } from '../../cgroup/hierarchies.ts';
import { main } from '../../command-line/main.ts';
import { type LaunchOptions, launch } from '../../container.ts';
import { type ExecOptions, exec } from '../../exec.ts';
import { busyboxBundle, leftovers, testId } from '../../testing/busybox-bundle.ts';
import { create } from '../create.ts';
import { kill } from '../kill.ts';
import { addMounts } from '../mounts.ts';
import { pause, resume } from '../pause.ts';
import { processes } from '../processes.ts';
import { remove } from '../remove.ts';
import { start } from '../start.ts';
import { state } from '../state.ts';
import { update } from '../update.ts';

const [mode = '', group = ''] = process.argv.slice(2);
const hasRanges = mode === 'ranges';
const [uid, gid] = [process.getuid?.() ?? 0, process.getgid?.() ?? 0];
const stdio = ['ignore', 'ignore', 'ignore'] as const;

using bundle = busyboxBundle('exec sleep 1000');
const { root, directory } = bundle;
bundle.change((spec) => {
  spec.linux.cgroupsPath = `${group}/container`;
  spec.linux.resources = { memory: { limit: 32 << 20 }, pids: { limit: 20 } };
  if (!hasRanges) return;
  spec.process.user = { uid: 1000, gid: 1000, additionalGids: [2000] };
  spec.linux.uidMappings = [
    { containerID: 0, hostID: uid, size: 1 },
    { containerID: 1, hostID: 200_000, size: 65_536 },
  ];
  spec.linux.gidMappings = [
    { containerID: 0, hostID: gid, size: 1 },
    { containerID: 1, hostID: 300_000, size: 65_536 },
  ];
});

const id = testId();
const unified = isUnified(findHierarchies());

/** A value of the container's group, in whichever file the kernel has it. */
function limit(...names: readonly string[]): string {
  const files = findHierarchies().flatMap(({ mountPoint }) =>
    names.map((name) => `${mountPoint}${group}/container/${name}`),
  );
  const file = files.find((path) => existsSync(path));
  return file === undefined ? 'no such file' : readFileSync(file, 'utf8').trim();
}

async function output(script: string, options: Omit<ExecOptions, 'args'> = {}): Promise<string> {
  await using joined = await exec(id, {
    root,
    args: ['sh', '-c', script],
    stdio: ['pipe', 'pipe', 'pipe'],
    ...options,
  });
  joined.stdin?.end();
  const { stdout, stderr } = joined;
  assert.ok(stdout);
  const [out, err] = await Promise.all([text(stdout), stderr === undefined ? '' : text(stderr)]);
  const { exitCode } = await joined.wait();
  return `${out}${err}${exitCode}`;
}

async function checkProcesses(): Promise<void> {
  const own = hasRanges ? 'uid=1000(app) gid=1000(app) groups=2000(extra)' : 'uid=0(root) gid=0(root)';
  assert.equal((await output('id')).split('\n')[0], own);
  assert.match(await output('id', { user: '0' }), /^uid=0\(root\) gid=0\(root\)/);
  if (hasRanges) {
    assert.equal(await output('id -u; id -g', { user: '7:8' }), '7\n8\n0');
  } else {
    const refusal = { code: 'ERR_OCI_SPEC_CONFLICT', message: /user 7 is not mapped/ };
    await assert.rejects(output('id', { user: '7:8' }), refusal);
  }
  assert.equal(await output('pwd; echo $X; exit 9', { cwd: '/tmp', env: ['X=y'] }), '/tmp\ny\n9');
  assert.equal(
    await output('cat /proc/self/uid_map | tr -s " "'),
    hasRanges ? ` 0 ${uid} 1\n 1 200000 65536\n0` : ` 0 ${uid} 1\n0`,
  );
  assert.equal(await output('mkdir /proc/x 2>/dev/null || echo no'), 'no\n0');
  assert.equal(
    await output('tty; stty size', { terminal: { rows: 30, columns: 100 }, stdio: 'pipe' }),
    '/dev/pts/0\r\n30 100\r\n0',
  );
}

async function checkLimits(): Promise<void> {
  assert.equal(limit('memory.max', 'memory.limit_in_bytes'), String(32 << 20));
  assert.equal(limit('pids.max'), '20');
  // Seen from the container's own group, it is the root.
  assert.match(await output('cat /proc/self/cgroup'), unified ? /^0::\/$/m : /^\d+:pids:\/$/m);
  assert.match(await output('for i in $(busybox seq 40); do sleep 5 & done 2>&1'), /fork/);
  await update(id, { pids: { limit: 30 } }, { root });
  assert.equal(limit('pids.max'), '30');
}

async function checkControl(): Promise<void> {
  const mounts = [{ destination: '/tmp', type: 'tmpfs', source: 'tmpfs', options: ['size=64k'] }];
  await addMounts(id, mounts, { root });
  assert.match(await output('busybox grep " /tmp " /proc/mounts'), /size=64k/);
  const bind = { destination: '/tmp', type: 'bind', source: directory };
  await assert.rejects(addMounts(id, [bind], { root }), { code: 'ERR_OCI_SPEC_UNSUPPORTED' });
  assert.ok(processes(id, { root }).includes(state(id, { root }).pid));
  await pause(id, { root });
  assert.equal(state(id, { root }).status, 'paused');
  await resume(id, { root });
  const status = await main(['--root', root, 'exec', '--env', 'A=5', id, 'sh', '-c', 'exit $A']);
  assert.equal(status, 5);
}

/** Files have owners that the user cannot give them; nothing of what answers for the containers is left. */
async function checkOwners(): Promise<void> {
  const script = 'cd /tmp; >a; busybox chown 33:42 a; busybox stat -c %u:%g a; exit 7';
  using owned = busyboxBundle(script);
  const capabilities = ['CAP_CHOWN'];
  owned.change((spec) => {
    spec.root = { path: 'rootfs', readonly: false };
    spec.process.capabilities = { bounding: capabilities, effective: capabilities, permitted: capabilities };
  });
  const run = async (more: LaunchOptions = {}): Promise<string> => {
    const options = { root: owned.root, stdio: 'pipe', emulateOwners: true, ...more } as const;
    await using container = await launch(owned.directory, options);
    const out = container.stdout === undefined ? '' : await text(container.stdout);
    return `${out}${(await container.wait()).exitCode}`;
  };
  if (hasRanges) {
    owned.change((spec) => {
      spec.linux.uidMappings = [
        { containerID: 0, hostID: uid, size: 1 },
        { containerID: 1, hostID: 200_000, size: 9 },
      ];
    });
    await assert.rejects(run(), { code: 'ERR_OCI_SPEC_CONFLICT', message: /several ids/ });
    return;
  }
  assert.equal(await run(), '33:42\n7');
  const used = (name: string): number => readdirSync(`/proc/self/${name}`).length;
  const before = [used('fd'), used('task')];
  for (let count = 0; count < 3; count += 1) assert.equal(await run(), '33:42\n7');
  await assert.rejects(run({ args: ['/missing'] }), { code: 'ERR_OCI_EXEC_NOT_FOUND' });
  const aborted = new AbortController();
  const running = launch(owned.directory, {
    ...{ root: owned.root, emulateOwners: true, stdio: 'ignore' },
    ...{ args: ['sleep', '1000'], signal: aborted.signal },
  });
  {
    await using container = await running;
    aborted.abort();
    assert.equal((await container.wait()).signal, 'SIGKILL');
  }
  assert.deepEqual([used('fd'), used('task')], before);
  assert.deepEqual(leftovers(owned), []);
}

await checkOwners();
await create(id, { bundle: directory, root, stdio });
try {
  await start(id, { root });
  await checkProcesses();
  await checkLimits();
  await checkControl();
  kill(id, 'KILL', { root });
} finally {
  await remove(id, { root, force: true });
}
assert.equal(limit('pids.max'), 'no such file');
assert.deepEqual(leftovers(bundle), []);
process.stdout.write('all is well\n');
