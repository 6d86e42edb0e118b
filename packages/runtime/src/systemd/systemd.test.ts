import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resourceWritesV2 } from '../cgroup/writes.ts';
import { annotatedProperties } from './annotations.ts';
import { busPath } from './manager.ts';
import { limitProperties } from './properties.ts';
import { unitPlace } from './unit.ts';

test('a container becomes a scope of a slice', () => {
  const place = (cgroupsPath: string | undefined, isUser = false) =>
    unitPlace({ id: 'web', cgroupsPath, isUser });
  assert.deepEqual(place('machine.slice:libpod:abc'), {
    slice: 'machine.slice',
    unit: 'libpod-abc.scope',
    path: '/machine.slice/libpod-abc.scope',
  });
  assert.equal(place('a-b-c.slice:p:n').path, '/a.slice/a-b.slice/a-b-c.slice/p-n.scope');
  assert.equal(place(':p:n').path, '/system.slice/p-n.scope');
  assert.equal(place(':p:n', true).path, '/user.slice/p-n.scope');
  assert.equal(place('-.slice::n').path, '/n.scope');
  assert.equal(place(undefined).path, '/system.slice/oci-web.scope');
  assert.equal(place(':p:a+b c').unit, 'p-a\\x2bb\\x20c.scope');
  assert.deepEqual(place('x.slice:p:own.slice'), { slice: 'x.slice', unit: 'own.slice', path: '/own.slice' });
});

for (const cgroupsPath of [
  '/system.slice/x',
  'system.slice:x',
  'a:b:c:d',
  '../x.slice:p:n',
  'a--b.slice:p:n',
  'x.service:p:n',
  'x.slice:p:',
]) {
  test(`${JSON.stringify(cgroupsPath)} is no place in systemd`, () => {
    assert.throws(() => unitPlace({ id: 'x', cgroupsPath, isUser: false }), {
      code: 'ERR_OCI_CGROUP_INVALID',
    });
  });
}

test('limits become properties where systemd has them', () => {
  const resources = {
    memory: { limit: 1_048_576, reservation: 524_288, swap: -1 },
    cpu: { shares: 1024, quota: 12_345, period: 50_000, cpus: '0-1,9', mems: '0' },
    pids: { limit: -1 },
    unified: { 'memory.high': 'max', 'hugetlb.2MB.max': '5' },
  };
  const infinity = 2n ** 64n - 1n;
  assert.deepEqual(limitProperties(resourceWritesV2(resources)), [
    ['MemorySwapMax', { signature: 't', value: infinity }],
    ['MemoryMax', { signature: 't', value: 1_048_576n }],
    ['MemoryLow', { signature: 't', value: 524_288n }],
    ['CPUWeight', { signature: 't', value: 100n }],
    ['CPUQuotaPeriodUSec', { signature: 't', value: 50_000n }],
    // 246.9 ms of each second, in steps of 10 ms.
    ['CPUQuotaPerSecUSec', { signature: 't', value: 250_000n }],
    ['AllowedCPUs', { signature: 'ay', value: [3, 2, ...Array.from({ length: 1022 }, () => 0)] }],
    ['AllowedMemoryNodes', { signature: 'ay', value: [1, ...Array.from({ length: 1023 }, () => 0)] }],
    ['TasksMax', { signature: 't', value: infinity }],
    ['MemoryHigh', { signature: 't', value: infinity }],
  ]);
});

test('annotations are properties in the text form of GVariant', () => {
  const read = (name: string, text: string) =>
    annotatedProperties({ [`org.systemd.property.${name}`]: text });
  assert.deepEqual(annotatedProperties({ other: 'x' }), []);
  assert.deepEqual(read('CollectMode', "'inactive-or-failed'"), [
    ['CollectMode', { signature: 's', value: 'inactive-or-failed' }],
  ]);
  assert.deepEqual(read('TimeoutStopUSec', 'uint64 5'), [['TimeoutStopUSec', { signature: 't', value: 5n }]]);
  assert.deepEqual(read('TimeoutStopSec', 'uint64 5'), [
    ['TimeoutStopUSec', { signature: 't', value: 5_000_000n }],
  ]);
  assert.deepEqual(read('Flag', 'true'), [['Flag', { signature: 'b', value: true }]]);
  assert.deepEqual(read('After', '["a.service", "b\\"c"]'), [
    ['After', { signature: 'as', value: ['a.service', 'b"c'] }],
  ]);
  for (const text of ['', 'uint64', "'open", '[1', "[1, 'a']", 'int32 x', '1 2', 'nonsense', '{}']) {
    assert.throws(() => read('Name', text), { code: 'ERR_OCI_SPEC_CONFLICT' }, text);
  }
  assert.throws(() => read('Not-A-Name', '1'), { code: 'ERR_OCI_SPEC_CONFLICT' });
});

test("the bus of a user is the session's, or that of its runtime directory", () => {
  assert.equal(busPath(false), '/run/dbus/system_bus_socket');
  assert.equal(
    busPath(true, { DBUS_SESSION_BUS_ADDRESS: 'unix:path=/run/user/1%20/bus,guid=1' }),
    '/run/user/1 /bus',
  );
  assert.equal(busPath(true, { XDG_RUNTIME_DIR: '/run/user/7' }), '/run/user/7/bus');
  assert.throws(() => busPath(true, {}), { code: 'ERR_OCI_SYSTEMD_UNAVAILABLE' });
});
