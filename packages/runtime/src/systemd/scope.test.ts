import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { create } from '../lifecycle/create.ts';
import { prepareExec } from '../lifecycle/exec.ts';
import { remove } from '../lifecycle/remove.ts';
import { start } from '../lifecycle/start.ts';
import { update } from '../lifecycle/update.ts';
import { busyboxBundle, leftovers, testId } from '../testing/busybox-bundle.ts';

/** Units come and go, and systemd reads its configuration again. */
const skip = process.env['OCIJS_VM'] === '1' ? false : 'needs systemd: npm run test:vm';

const stdio = ['ignore', 'ignore', 'ignore'] as const;

function show(unit: string, ...names: readonly string[]): Record<string, string> {
  const out = execFileSync('systemctl', ['show', unit, ...names.map((name) => `--property=${name}`)], {
    encoding: 'utf8',
  });
  return Object.fromEntries(
    out
      .trim()
      .split('\n')
      .map((line) => line.split(/=(.*)/s).slice(0, 2)) as [string, string][],
  );
}

async function until(holds: () => boolean): Promise<void> {
  for (let attempt = 0; !holds(); attempt++) {
    if (attempt === 600) throw new Error('it did not happen within a minute');
    await delay(100);
  }
}

test("systemd makes the container's scope, keeps its limits over a reload, and forgets it", {
  skip,
}, async () => {
  using bundle = busyboxBundle('sleep 1000');
  const { root, directory } = bundle;
  const id = testId();
  bundle.change((spec) => {
    spec.linux.cgroupsPath = `system.slice:ocijs:${id}`;
    spec.linux.resources = {
      memory: { limit: 64 << 20 },
      cpu: { shares: 512, quota: 50_000, period: 100_000 },
      pids: { limit: 20 },
    };
    spec.annotations = { 'org.systemd.property.TimeoutStopSec': 'uint64 5' };
  });
  const unit = `ocijs-${id}.scope`;
  const group = `/sys/fs/cgroup/system.slice/${unit}`;
  const file = (name: string): string => readFileSync(`${group}/${name}`, 'utf8').trim();
  const { pid } = await create(id, { bundle: directory, root, stdio, cgroupManager: 'systemd' });
  await start(id, { root });
  assert.equal(readFileSync(`/proc/${pid}/cgroup`, 'utf8').trim(), `0::/system.slice/${unit}`);
  assert.deepEqual(
    show(
      unit,
      'ActiveState',
      'MemoryMax',
      'TasksMax',
      'CPUWeight',
      'CPUQuotaPerSecUSec',
      'Delegate',
      'TimeoutStopUSec',
    ),
    {
      ActiveState: 'active',
      MemoryMax: String(64 << 20),
      TasksMax: '20',
      CPUWeight: '59',
      CPUQuotaPerSecUSec: '500ms',
      Delegate: 'yes',
      TimeoutStopUSec: '5s',
    },
  );
  await update(id, { pids: { limit: 30 }, memory: { limit: 80 << 20 } }, { root });
  assert.equal(show(unit, 'TasksMax')['TasksMax'], '30');
  execFileSync('systemctl', ['daemon-reload']);
  assert.deepEqual(
    [file('memory.max'), file('pids.max'), file('cpu.max')],
    [String(80 << 20), '30', '50000 100000'],
  );
  const process = { cwd: '/', user: { uid: 0, gid: 0 }, args: ['sleep', '1000'], env: ['PATH=/bin'] };
  const exec = await prepareExec(id, { root, process, stdio, lifetime: 'detached' });
  assert.ok(file('cgroup.procs').split('\n').includes(String(exec.pid)));
  await assert.rejects(create(testId(), { bundle: directory, root, stdio, cgroupManager: 'systemd' }), {
    code: 'ERR_OCI_CGROUP_BUSY',
  });
  await remove(id, { root, force: true });
  assert.equal(existsSync(group), false);
  await until(() => show(unit, 'LoadState')['LoadState'] === 'not-found');
  assert.deepEqual(leftovers(bundle), []);
});

test('device rules hold in a scope', { skip }, async () => {
  using bundle = busyboxBundle('sleep 1000');
  const { root, directory } = bundle;
  const id = testId();
  await create(id, { bundle: directory, root, stdio, cgroupManager: 'systemd' });
  await start(id, { root });
  const capabilities = { bounding: ['CAP_MKNOD'], effective: ['CAP_MKNOD'], permitted: ['CAP_MKNOD'] };
  const args = ['sh', '-c', 'mknod /dev/mem c 1 1 && cat /dev/mem >/dev/null'];
  const process = { cwd: '/', user: { uid: 0, gid: 0 }, args, env: ['PATH=/bin'], capabilities };
  await using init = await prepareExec(id, { root, process, stdio, lifetime: 'attached' });
  assert.notEqual((await init.exited).exitCode, 0);
  await remove(id, { root, force: true });
});

const rootless = `
import assert from 'node:assert/strict';
import { readFileSync, existsSync } from 'node:fs';
const at = (path) => import('/job/packages/runtime/src/' + path);
const { busyboxBundle } = await at('testing/busybox-bundle.ts');
const { create } = await at('lifecycle/create.ts');
const { start } = await at('lifecycle/start.ts');
const { remove } = await at('lifecycle/remove.ts');
using bundle = busyboxBundle('sleep 1000');
bundle.change((spec) => {
  spec.linux.cgroupsPath = 'user.slice:ocijs:own';
  spec.linux.resources = { memory: { limit: 50331648 }, pids: { limit: 25 }, cpu: { quota: 40000, period: 100000 } };
});
const { pid } = await create('own', { bundle: bundle.directory, root: bundle.root, stdio: ['ignore', 'ignore', 'ignore'], cgroupManager: 'systemd' });
await start('own', { root: bundle.root });
const path = readFileSync('/proc/' + pid + '/cgroup', 'utf8').trim().slice(3);
assert.match(path, /^\\/user\\.slice\\/user-1000\\.slice\\/user@1000\\.service\\/user\\.slice\\/ocijs-own\\.scope$/);
const file = (name) => readFileSync('/sys/fs/cgroup' + path + '/' + name, 'utf8').trim();
assert.deepEqual([file('memory.max'), file('pids.max'), file('cpu.max')], ['50331648', '25', '40000 100000']);
await remove('own', { root: bundle.root, force: true });
assert.equal(existsSync('/sys/fs/cgroup' + path), false);
console.log('all is well');
`;

test("an ordinary user's containers are scopes of that user's systemd", { skip }, () => {
  execFileSync('loginctl', ['enable-linger', 'user']);
  execFileSync('systemctl', ['start', 'user@1000.service']);
  for (const path of ['/job', '/job/bin']) chmodSync(path, 0o755);
  chownSync('/run/user/1000', 1000, 1000);
  const { stdout, stderr, status } = spawnSync(
    'setpriv',
    [
      ...[
        '--reuid',
        '1000',
        '--regid',
        '1000',
        '--init-groups',
        'env',
        '-i',
        'PATH=/job/bin:/usr/bin:/bin',
        'HOME=/home/user',
      ],
      ...['XDG_RUNTIME_DIR=/run/user/1000', 'DBUS_SESSION_BUS_ADDRESS=unix:path=/run/user/1000/bus'],
      ...[process.execPath, '--conditions=source', '--input-type=module', '-e', rootless],
    ],
    { encoding: 'utf8', cwd: '/job' },
  );
  assert.equal(stdout, 'all is well\n', stderr);
  assert.equal(status, 0);
});
