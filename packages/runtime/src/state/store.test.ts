import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { identify, type ProcessIdentity } from '../process/stat.ts';
import { checkContainerId, randomContainerId } from './id.ts';
import type { ContainerRecord } from './record.ts';
import { containerStatus, stateOf } from './status.ts';
import {
  claimContainer,
  listContainers,
  readRecord,
  removeContainer,
  writeFinished,
  writeInit,
  writeRecord,
} from './store.ts';

let parent: string;
let root: string;

beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'oci-state-'));
  root = join(parent, 'deep/root');
});

afterEach(() => rmSync(parent, { recursive: true, force: true }));

const self = identify(process.pid) as ProcessIdentity;
const ended: ProcessIdentity = { ...self, startTime: self.startTime - 1 };

function record(id: string, change: Partial<ContainerRecord> = {}): ContainerRecord {
  return {
    version: 1,
    id,
    bundle: '/b',
    rootfs: '/b/rootfs',
    created: '2025-01-02T03:04:05.000Z',
    owner: 'root',
    creator: ended,
    finished: true,
    spec: { ociVersion: '1.0.2' },
    ...change,
  };
}

test('ids are names and nothing else', () => {
  for (const id of ['a', 'A.b-c_d+1', '.x', '...', 'x'.repeat(255)]) checkContainerId(id);
  for (const id of ['', '.', '..', 'a/b', '../x', 'a b', 'ä', 'a\0', 'a\n', '@a@', 'x'.repeat(256)]) {
    assert.throws(() => checkContainerId(id), { code: 'ERR_OCI_CONTAINER_ID_INVALID' }, JSON.stringify(id));
  }
  checkContainerId(randomContainerId());
  assert.notEqual(randomContainerId(), randomContainerId());
});

test('a container is claimed once, in directories of its own', () => {
  claimContainer(root, record('one'));
  assert.throws(() => claimContainer(root, record('one')), {
    code: 'ERR_OCI_CONTAINER_EXISTS',
    message: /already exists/,
  });
  assert.equal(statSync(root).mode & 0o777, 0o700);
  assert.equal(statSync(join(root, 'one')).mode & 0o777, 0o700);
  assert.equal(statSync(join(root, 'one/state.json')).mode & 0o777, 0o600);
  assert.deepEqual(readRecord(root, 'one'), record('one'));
  assert.deepEqual(readdirSync(join(root, 'one')), ['state.json']);
});

test('a record is replaced as a whole, and not written for a container that is gone', () => {
  claimContainer(root, record('one'));
  writeRecord(root, record('one', { init: self }));
  assert.deepEqual(readRecord(root, 'one')?.init, self);
  removeContainer(root, 'one');
  assert.throws(() => writeRecord(root, record('one')), { code: 'ERR_OCI_CONTAINER_NOT_FOUND' });
  assert.deepEqual(readdirSync(root), []);
});

test('the first process and the end of the creation are added, and seen when they are whole', () => {
  claimContainer(root, record('one', { finished: false }));
  assert.deepEqual(readRecord(root, 'one'), record('one', { finished: false }));
  for (const text of ['', '{"pid":1', '{"pid":1}']) {
    writeFileSync(join(root, 'one/init.json'), text);
    assert.equal(readRecord(root, 'one')?.init, undefined, text);
  }
  rmSync(join(root, 'one/init.json'));
  writeInit(root, 'one', self);
  assert.deepEqual(readRecord(root, 'one'), record('one', { finished: false, init: self }));
  writeFinished(root, 'one');
  assert.deepEqual(readRecord(root, 'one'), record('one', { init: self }));
  assert.equal(statSync(join(root, 'one/init.json')).mode & 0o777, 0o600);
  removeContainer(root, 'one');
  for (const write of [() => writeInit(root, 'one', self), () => writeFinished(root, 'one')])
    assert.throws(write, { code: 'ERR_OCI_CONTAINER_NOT_FOUND' });
});

test('a missing container is not found, a broken record is not used', () => {
  assert.throws(() => readRecord(root, 'none'), {
    code: 'ERR_OCI_CONTAINER_NOT_FOUND',
    message: /does not exist/,
  });
  claimContainer(root, record('one'));
  for (const text of ['', '{', 'null', '{"version":1}', JSON.stringify(record('other'))]) {
    writeFileSync(join(root, 'one/state.json'), text);
    assert.equal(readRecord(root, 'one'), undefined, text);
  }
  rmSync(join(root, 'one/state.json'));
  symlinkSync('/etc/passwd', join(root, 'one/state.json'));
  assert.throws(() => readRecord(root, 'one'));
});

test('state that someone else could write is refused', () => {
  mkdirSync(root, { recursive: true });
  chmodSync(root, 0o777);
  assert.throws(() => claimContainer(root, record('one')), { code: 'ERR_OCI_STATE_DENIED' });
  chmodSync(root, 0o700);
  claimContainer(root, record('one'));
  chmodSync(join(root, 'one'), 0o777);
  assert.throws(() => readRecord(root, 'one'), { code: 'ERR_OCI_STATE_DENIED' });
  rmSync(join(root, 'one'), { recursive: true });
  mkdirSync(join(parent, 'elsewhere'));
  symlinkSync(join(parent, 'elsewhere'), join(root, 'one'));
  assert.throws(() => readRecord(root, 'one'), { code: 'ERR_OCI_STATE_DENIED' });
});

test('a container is removed once; a removal that was killed is finished by the next', () => {
  claimContainer(root, record('one'));
  assert.equal(removeContainer(root, 'one'), true);
  assert.equal(removeContainer(root, 'one'), false);
  mkdirSync(join(root, '@one@1234'));
  writeFileSync(join(root, '@one@1234/state.json'), '');
  assert.deepEqual(listContainers(root), []);
  removeContainer(root, 'one');
  assert.equal(existsSync(join(root, '@one@1234')), false);
});

test('containers are listed by name; a missing root has none', () => {
  assert.deepEqual(listContainers(root), []);
  for (const id of ['b', 'a']) claimContainer(root, record(id));
  writeFileSync(join(root, 'file'), '');
  assert.deepEqual(listContainers(root), ['a', 'b']);
});

test('the status follows from the creator, the init and the fifo', () => {
  claimContainer(root, record('one'));
  const status = (change: Partial<ContainerRecord>): string => containerStatus(root, record('one', change));
  assert.equal(status({ finished: false, creator: self }), 'creating');
  assert.equal(status({ finished: false }), 'stopped');
  assert.equal(status({ init: ended }), 'stopped');
  assert.equal(status({ init: self }), 'running');
  writeFileSync(join(root, 'one/exec.fifo'), '');
  assert.equal(status({ init: self }), 'created');
  assert.equal(status({ init: ended }), 'stopped');
  assert.equal(status({ init: self, finished: false }), 'created');
});

test('the state has the fields that callers read', () => {
  const spec = { ociVersion: '1.0.2', annotations: { a: 'b' } };
  assert.deepEqual(stateOf(root, record('one', { init: self, spec })), {
    ociVersion: '1.2.0',
    id: 'one',
    pid: process.pid,
    status: 'running',
    bundle: '/b',
    rootfs: '/b/rootfs',
    created: '2025-01-02T03:04:05.000Z',
    annotations: { a: 'b' },
    owner: 'root',
  });
  assert.equal(stateOf(root, record('one', { init: ended })).pid, 0);
});
