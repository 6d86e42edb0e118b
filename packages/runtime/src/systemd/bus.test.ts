import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Bus, busService, connectBus } from './bus.ts';
import { Decoder } from './decode.ts';
import { Encoder } from './encode.ts';
import { createBusReader, encodeMessage, messageKinds } from './message.ts';
import { typesOf, type Value } from './signature.ts';

const hasDaemon = spawnSync('dbus-daemon', ['--version']).status === 0;
const skip = hasDaemon ? false : 'needs dbus-daemon';

test('values are read as they were written, at their alignments', () => {
  const cases: readonly (readonly [string, readonly Value[]])[] = [
    ['ybnqiuxtd', [7, true, -2, 3, -4, 5, -6n, 7n, 1.5]],
    ['sogv', ['text', '/a/b', 'a(sv)', { signature: 'as', value: ['x', 'é'] }]],
    [
      'a(sv)y',
      [
        [
          ['A', { signature: 't', value: 2n ** 64n - 1n }],
          ['B', { signature: 'au', value: [1, 2] }],
        ],
        9,
      ],
    ],
    ['a{sx}aay', [[['k', 1n]], [[1], []]]],
    ['a(sa(sv))', [[]]],
  ];
  for (const [signature, values] of cases) {
    const encoder = new Encoder();
    encoder.all(signature, values);
    const decoder = new Decoder(encoder.bytes);
    assert.deepEqual(decoder.all(signature), values);
    assert.equal(decoder.position, encoder.bytes.length);
  }
  assert.deepEqual(typesOf('sa{sv}(ia(y))'), ['s', 'a{sv}', '(ia(y))']);
  for (const bad of ['(', 'a', '{s', 'z', 'a'.repeat(100)]) assert.throws(() => typesOf(bad), RangeError);
});

test('messages arrive whole, however the stream is cut, and no larger than the limit', () => {
  const call = {
    kind: messageKinds.call,
    serial: 3,
    path: '/x',
    interface: 'a.b',
    member: 'M',
    destination: 'c.d',
    signature: 'su',
  };
  const bytes = Buffer.concat([1, 2].map((number) => encodeMessage({ ...call, body: ['text', number] })));
  for (const size of [1, 7, 64, bytes.length]) {
    const read = createBusReader();
    const messages = [];
    for (let at = 0; at < bytes.length; at += size) messages.push(...read(bytes.subarray(at, at + size)));
    assert.deepEqual(
      messages.map(({ member, body }) => [member, ...body]),
      [
        ['M', 'text', 1],
        ['M', 'text', 2],
      ],
    );
  }
  const large = Buffer.from(bytes);
  large.writeUInt32LE(0x7fff_ffff, 4);
  assert.throws(() => createBusReader()(large), RangeError);
  const foreign = Buffer.from(bytes);
  foreign[0] = 'B'.charCodeAt(0);
  assert.throws(() => createBusReader()(foreign), RangeError);
});

async function withDaemon(use: (bus: Bus, path: string) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'oci-bus-'));
  const path = join(directory, 'bus');
  const daemon = spawn(
    'dbus-daemon',
    ['--session', '--nofork', '--print-address', `--address=unix:path=${path}`],
    {
      stdio: ['ignore', 'pipe', 'ignore'],
    },
  );
  const ended = once(daemon, 'exit');
  try {
    await once(daemon.stdout, 'data');
    using bus = await connectBus(path);
    await use(bus, path);
  } finally {
    daemon.kill();
    await ended;
    rmSync(directory, { recursive: true, force: true });
  }
}

test('a real bus answers calls, with errors too, and sends signals', { skip }, async () => {
  await withDaemon(async (bus, path) => {
    const [names] = await bus.call({ ...busService, member: 'ListNames' });
    assert.ok((names as string[]).includes('org.freedesktop.DBus'));
    await assert.rejects(
      bus.call({ ...busService, member: 'GetNameOwner', signature: 's', body: ['no.such'] }),
      {
        busName: 'org.freedesktop.DBus.Error.NameHasNoOwner',
      },
    );
    const seen = new Promise<unknown>((resolve) => {
      bus.onSignal(({ member, body }) => {
        if (member === 'NameOwnerChanged' && body[1] === '') resolve(body[0]);
      });
    });
    await bus.call({ ...busService, member: 'AddMatch', signature: 's', body: ["type='signal'"] });
    using _other = await connectBus(path);
    assert.match(String(await seen), /^:1\./);
  });
});

test('what is no bus is named, and hanging up ends what waits', { skip }, async () => {
  await assert.rejects(connectBus('/does/not/exist'), { code: 'ERR_OCI_SYSTEMD_UNAVAILABLE' });
  const reason = new Error('enough');
  await assert.rejects(connectBus('/does/not/exist', AbortSignal.abort(reason)), reason);
  const directory = mkdtempSync(join(tmpdir(), 'oci-bus-'));
  const path = join(directory, 'bus');
  const server = createServer((socket) => void socket.end('REJECTED\r\n')).listen(path);
  try {
    await once(server, 'listening');
    await assert.rejects(connectBus(path), { message: /the bus refuses us: REJECTED/ });
  } finally {
    server.close();
    rmSync(directory, { recursive: true, force: true });
  }
});
