import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { describe, test } from 'node:test';
import { bridgeConfig } from './bridge/config.ts';
import { addressNumber, routedRanges } from './bridge/subnet.ts';
import { hostsFile, resolverFile, usesLocalResolver } from './etc-files.ts';
import { formatPort } from './format-port.ts';
import { networkHelpers, requireNetwork } from './helpers.ts';
import { claimPorts } from './ports.ts';
import { defaultRoute, portArgument } from './user-mode/pasta.ts';

const routes = [
  'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT',
  'eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0',
  'eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0',
  '',
].join('\n');

describe('routes of the host', () => {
  test('are ranges, but for the default route', () => {
    const [range, ...others] = routedRanges(routes);
    assert.deepEqual(range, { first: addressNumber('192.0.2.0'), last: addressNumber('192.0.2.255') });
    assert.deepEqual(others, []);
  });

  test('the default route names device and gateway', () => {
    assert.deepEqual(defaultRoute(routes), { device: 'eth0', gateway: '192.0.2.1' });
    assert.equal(defaultRoute(''), undefined);
  });
});

describe('resolv.conf', () => {
  test('loses servers that only the host reaches, and comments', () => {
    const host =
      '# made by hand\nnameserver 127.0.0.53\nnameserver 192.0.2.53 ; office\nnameserver fe80::1%eth0\nsearch a b\noptions edns0\n';
    assert.equal(resolverFile(host), 'nameserver 192.0.2.53\nsearch a b\noptions edns0\n');
  });

  test('has public servers when none is left, as Docker does', () => {
    assert.equal(resolverFile('nameserver ::1\n'), 'nameserver 8.8.8.8\nnameserver 8.8.4.4\n');
    assert.equal(resolverFile(''), 'nameserver 8.8.8.8\nnameserver 8.8.4.4\n');
  });

  test('says what was asked for', () => {
    const host = 'nameserver 192.0.2.53\nsearch a\n';
    assert.equal(resolverFile(host, { servers: ['127.0.0.1'], search: ['.'] }), 'nameserver 127.0.0.1\n');
    assert.equal(resolverFile(host, { options: ['ndots:1'] }), `${host}options ndots:1\n`);
  });

  test('of systemd’s resolver is told by its address', () => {
    assert.equal(usesLocalResolver('nameserver 127.0.0.53\n'), true);
    assert.equal(usesLocalResolver('nameserver 127.0.0.53\nnameserver 192.0.2.1\n'), false);
    assert.equal(usesLocalResolver(''), false);
  });
});

test('hosts names the container at its addresses, also without its domain', () => {
  const text = hostsFile({
    hostname: 'box.example.test',
    addresses: ['10.0.0.2'],
    entries: [{ name: 'db', address: '10.0.0.3' }],
  });
  assert.match(text, /^127\.0\.0\.1\tlocalhost\n/);
  assert.match(text, /\n10\.0\.0\.3\tdb\n10\.0\.0\.2\tbox\.example\.test box\n$/);
});

describe('ports', () => {
  test('are chosen, and refused when they are in use', async () => {
    const [chosen] = await claimPorts([
      { hostPort: 0, containerPort: 80, protocol: 'tcp', hostIp: '127.0.0.1' },
    ]);
    assert.ok(chosen !== undefined && chosen.hostPort > 0);
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const address = server.address();
    const hostPort = typeof address === 'object' && address !== null ? address.port : 0;
    const taken = claimPorts([{ hostPort, containerPort: 80, protocol: 'tcp', hostIp: '127.0.0.1' }]);
    await assert.rejects(taken, {
      code: 'ERR_OCI_PORT_TAKEN',
      message: `port 127.0.0.1:${hostPort}/tcp is in use`,
    });
    server.close();
  });

  test('that are none are refused', async () => {
    for (const port of [
      { hostPort: -1, containerPort: 80, protocol: 'tcp' as const },
      { hostPort: 80, containerPort: 0, protocol: 'udp' as const },
      { hostPort: 0, containerPort: 80, protocol: 'sctp' as const },
    ])
      await assert.rejects(claimPorts([port]), { code: 'ERR_OCI_NETWORK_INVALID' });
  });

  test('have the forms of people and of pasta', () => {
    const port = { hostIp: '::1', hostPort: 8080, containerPort: 80, protocol: 'tcp' as const };
    assert.equal(formatPort(port), '[::1]:8080/tcp');
    assert.equal(portArgument([port], 'tcp'), '::1/8080:80');
    assert.equal(portArgument([port], 'udp'), 'none');
  });
});

test('a bridge has port mappings only where ports are published', () => {
  const network = { bridge: 'oci0', subnet: '10.87.0.0/22', gateway: '10.87.0.1' };
  assert.deepEqual(
    bridgeConfig('/run/oci', network, []).map(({ type }) => type),
    ['bridge', 'firewall'],
  );
  const [, mapping] = bridgeConfig('/run/oci', network, [
    { hostIp: '127.0.0.1', hostPort: 8080, containerPort: 80, protocol: 'tcp' },
  ]);
  assert.deepEqual(mapping?.['runtimeConfig'], {
    portMappings: [{ hostIP: '127.0.0.1', hostPort: 8080, containerPort: 80, protocol: 'tcp' }],
  });
});

test('every way that cannot be used says why, and what to do', () => {
  for (const { mode, reason, hint } of networkHelpers()) {
    if (reason === undefined) {
      requireNetwork(mode);
      continue;
    }
    assert.ok(hint !== undefined && hint !== '', mode);
    assert.throws(() => requireNetwork(mode), { code: 'ERR_OCI_NETWORK_UNAVAILABLE', hint });
  }
});
