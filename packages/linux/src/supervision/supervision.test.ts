import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { constants } from '../constants.ts';
import { available } from '../library.ts';
import { close } from '../open.ts';
import { socketPair } from '../spawn.ts';
import * as supervision from './index.ts';

const { AT_FDCWD, O_DIRECTORY, O_NOFOLLOW, O_PATH, O_RDWR, RESOLVE_IN_ROOT } = constants;
const skip = available() ? false : 'needs Linux';
let directory = '';

before(() => {
  directory = mkdtempSync(join(tmpdir(), 'ocijs-linux-'));
});
after(() => rmSync(directory, { recursive: true }));

test('a socket whose path is longer than an address takes connections', { skip }, async () => {
  const place = join(directory, 'x'.repeat(200));
  mkdirSync(place);
  const server = supervision.listenAt(join(place, 'socket'));
  assert.equal(supervision.acceptConnection(server), undefined);
  const { closeQuietly, waitForInput, receiveDescriptor } = supervision;
  const holder = supervision.answerOpenat(AT_FDCWD, place, O_PATH | O_DIRECTORY);
  const client = connect(`/proc/self/fd/${holder}/socket`);
  await once(client, 'connect');
  assert.deepEqual(waitForInput([server]), ['ready']);
  const connection = supervision.acceptConnection(server) ?? -1;
  assert.equal(receiveDescriptor(connection), 'none');
  await new Promise((resolve) => client.write('no descriptor', resolve));
  assert.deepEqual(waitForInput([server, connection]), [undefined, 'ready']);
  assert.equal(receiveDescriptor(connection), 'none');
  client.end();
  await once(client, 'finish');
  assert.deepEqual(waitForInput([connection]), ['ready']);
  assert.equal(receiveDescriptor(connection), 'end');
  for (const fd of [connection, server, holder]) closeQuietly(fd);
  assert.throws(() => supervision.listenAt(join(directory, 'missing/socket')), { code: 'ENOENT' });
});

test('waiting ends when the other end is closed', { skip }, () => {
  const [ours, theirs] = socketPair();
  close(theirs);
  assert.equal(supervision.waitForInput([ours]).length, 1);
  assert.notEqual(supervision.waitForInput([ours])[0], undefined);
  close(ours);
});

test('calls on behalf of others answer with errnos, and throw nothing', { skip }, () => {
  const file = join(directory, 'file');
  writeFileSync(file, 'abc', { mode: 0o640 });
  symlinkSync('file', join(directory, 'link'));
  assert.equal(supervision.answerOpenat(AT_FDCWD, '/missing', O_PATH), -2);
  const place = supervision.answerOpenat(AT_FDCWD, directory, O_PATH);
  const how = { flags: O_PATH | O_NOFOLLOW, resolve: RESOLVE_IN_ROOT };
  const link = supervision.answerOpenat2(place, Buffer.from('/../link\0'), how);
  assert.equal(String(supervision.linkOf(link)), 'file');
  assert.equal(supervision.linkOf(place), undefined);
  assert.equal(supervision.answerOpenat2(place, 'missing', how), -2);
  const fd = supervision.answerOpenat(place, 'link', O_RDWR);
  const bytes = Buffer.alloc(2);
  assert.equal(supervision.answerPread(fd, bytes, 1), 2);
  assert.equal(String(bytes), 'bc');
  assert.equal(supervision.answerPwrite(fd, Buffer.from('x'), 0), 1);
  assert.equal(supervision.answerPwrite(place, bytes, 0), -9);
  const path = `/proc/self/fd/${fd}`;
  assert.equal(supervision.shortAttribute(path, 'user.x'), 'none');
  assert.equal(supervision.shortAttribute('/missing', 'user.x'), 'unknown');
  assert.equal(supervision.answerSetAttribute(path, 'user.x', Buffer.from('y')), 0);
  assert.equal(String(supervision.shortAttribute(path, 'user.x')), 'y');
  supervision.answerSetAttribute(path, 'user.x', Buffer.alloc(65));
  assert.equal(supervision.shortAttribute(path, 'user.x'), 'unknown');
  assert.equal(supervision.answerChmod(path, 0o600), 0);
  for (const each of [link, fd, place, -1]) supervision.closeQuietly(each);
});

test('the kernel’s structures have the owner where it is said to be', { skip }, () => {
  const { kernelStat, kernelStatx, answerStat, answerStatx, identityOf } = supervision;
  const fd = supervision.answerOpenat(AT_FDCWD, directory, O_PATH);
  const { uid, gid, mode, dev, ino } = statSync(directory, { bigint: true });
  const layouts = [
    { layout: kernelStat, ask: (result: Buffer) => answerStat(fd, result) },
    {
      layout: kernelStatx,
      ask: (result: Buffer) => answerStatx(fd, { flags: 0, mask: 0x7ff, result }),
    },
  ];
  for (const { layout, ask } of layouts) {
    const result = Buffer.alloc(layout.size);
    assert.equal(ask(result), 0);
    assert.equal(BigInt(result.readUInt32LE(layout.uid)), uid);
    assert.equal(BigInt(result.readUInt32LE(layout.gid)), gid);
  }
  const identity = identityOf(fd);
  assert.equal(BigInt(identity?.mode ?? 0), mode);
  assert.ok(dev > 0n && identity?.file.includes(`:${ino}:`));
  assert.equal(supervision.fileSystemOf(fd)?.isReadOnly, false);
  supervision.closeQuietly(fd);
  assert.equal(identityOf(fd), undefined);
  assert.equal(supervision.fileSystemOf(fd), undefined);
});
