import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { defaultChoice, parseNetwork, requirePublishing } from './choice.ts';
import { parseAddHost, parseNameServers } from './files.ts';
import { formatPorts, parseExposed, parsePublish } from './publish.ts';

const usage = { code: 'ERR_OCI_USAGE' };
const tcp = (hostPort: number, containerPort: number, hostIp?: string) => ({
  ...(hostIp === undefined ? {} : { hostIp }),
  hostPort,
  containerPort,
  protocol: 'tcp',
});

describe('published ports', () => {
  const table: [string, object[]][] = [
    ['8080:80', [tcp(8080, 80)]],
    ['80', [tcp(0, 80)]],
    [':80', [tcp(0, 80)]],
    ['127.0.0.1:8080:80', [tcp(8080, 80, '127.0.0.1')]],
    ['127.0.0.1::80', [tcp(0, 80, '127.0.0.1')]],
    ['0.0.0.0:8080:80', [tcp(8080, 80)]],
    ['[::1]:8080:80', [tcp(8080, 80, '::1')]],
    ['53:53/udp', [{ hostPort: 53, containerPort: 53, protocol: 'udp' }]],
    ['9:9/SCTP', [{ hostPort: 9, containerPort: 9, protocol: 'sctp' }]],
    ['8000-8001:80-81', [tcp(8000, 80), tcp(8001, 81)]],
    ['80-81', [tcp(0, 80), tcp(0, 81)]],
    ['127.0.0.1:8000-8001:80-81', [tcp(8000, 80, '127.0.0.1'), tcp(8001, 81, '127.0.0.1')]],
  ];
  for (const [text, expected] of table) test(text, () => assert.deepEqual(parsePublish(text), expected));

  for (const text of [
    '',
    'x',
    '80:',
    '0:80',
    '80:0',
    '65536:80',
    '80:80/icmp',
    '8000-8002:80-81',
    '81-80:1-2',
    '300.1.1.1:80:80',
    '1:2:3',
    'host:80:80',
    '[x]:80:80',
    '[127.0.0.1]x:80:80',
  ])
    test(`${JSON.stringify(text)} is refused`, () => assert.throws(() => parsePublish(text), usage));

  test('are shown as Docker shows them', () => {
    const ports = [...parsePublish('8080:80'), ...parsePublish('[::1]:53:53/udp')];
    assert.equal(formatPorts(ports), '0.0.0.0:8080->80/tcp, [::1]:53->53/udp');
  });

  test('exposed ones are ports of the container', () => {
    assert.deepEqual(parseExposed('80/tcp'), [tcp(0, 80)]);
    assert.equal(parseExposed('8000-8010').length, 11);
    assert.throws(() => parseExposed('8080:80'), usage);
  });
});

describe('networks', () => {
  test('have names', () => {
    assert.deepEqual(parseNetwork('none'), { mode: 'none' });
    assert.deepEqual(parseNetwork('loopback'), { mode: 'none' });
    assert.deepEqual(parseNetwork('container:web'), { mode: 'container', container: 'web' });
    assert.equal(parseNetwork('default'), undefined);
    assert.throws(() => parseNetwork('my-network'), usage);
    assert.throws(() => parseNetwork('container:'), usage);
  });

  const helpers = [
    { mode: 'bridge', found: [], reason: 'a bridge needs root', hint: 'h' },
    { mode: 'pasta', found: [], reason: 'pasta is not installed', hint: 'Install the package passt.' },
    { mode: 'slirp4netns', found: ['/usr/bin/slirp4netns'] },
  ] as const;

  test('the default is the first that works', () => {
    assert.deepEqual(defaultChoice(helpers), { mode: 'slirp4netns' });
    assert.deepEqual(defaultChoice(helpers.slice(0, 2)), { mode: 'none' });
  });

  test('ports take one that is connected', () => {
    const ports = parsePublish('8080:80');
    const none = { mode: 'none' } as const;
    requirePublishing({ mode: 'pasta' }, { ports, isDefault: false, helpers });
    requirePublishing(none, { ports: [], isDefault: false, helpers });
    assert.throws(() => requirePublishing(none, { ports, isDefault: false, helpers }), usage);
    assert.throws(() => requirePublishing(none, { ports, isDefault: true, helpers }), {
      code: 'ERR_OCI_HOST_UNSUITABLE',
      message: /bridge: a bridge needs root; pasta: pasta is not installed/,
    });
  });
});

test('--add-host and --dns take addresses', () => {
  assert.deepEqual(parseAddHost('db:10.0.0.1'), { name: 'db', address: '10.0.0.1' });
  assert.deepEqual(parseAddHost('db=[::1]'), { name: 'db', address: '::1' });
  assert.deepEqual(parseAddHost('host:host-gateway'), { name: 'host', address: 'host-gateway' });
  for (const text of ['db', 'db:', 'db:host', ':10.0.0.1', 'a b:10.0.0.1'])
    assert.throws(() => parseAddHost(text), usage, text);
  assert.deepEqual(parseNameServers({ dns: ['1.1.1.1', '::1'] }).servers, ['1.1.1.1', '::1']);
  assert.throws(() => parseNameServers({ dns: ['one.example'] }), usage);
  assert.throws(() => parseNameServers({ 'dns-search': ['a\nnameserver 1.2.3.4'] }), usage);
});
