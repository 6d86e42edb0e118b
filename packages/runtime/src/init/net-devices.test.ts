import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { skipReason } from './testing/bundle.ts';

/** The kinds of devices that kernels can make from nothing; not every kernel has each. */
const kinds = ['dummy', 'ifb', 'vxlan id 42 dstport 4789 dev lo'];

function inOwnNetwork(
  script: string,
  ...args: readonly string[]
): { status: number | null; stdout: string; stderr: string } {
  return spawnSync('unshare', ['-n', 'sh', '-c', script, ...args], { encoding: 'utf8' });
}

function usableKind(): string | undefined {
  return kinds.find((kind) => inOwnNetwork(`ip link add probe type ${kind}`).status === 0);
}

const kind = skipReason() === undefined ? usableKind() : undefined;
const skip =
  skipReason() ?? (kind === undefined ? 'needs ip, and a kernel that can make a network device' : false);

/** Runs a container in a network of the test's own, in which a device was made first. */
function runWith(
  netDevices: Record<string, { name?: string }>,
  options: { readonly setup?: string; readonly linux?: object } = {},
): { readonly stdout: string; readonly code?: string; readonly message?: string; readonly rest: string } {
  const program = `
    import { spawnSync } from 'node:child_process';
    const { makeBundle, makeSpec, runScript } = await import('${new URL('./testing/bundle.ts', import.meta.url)}');
    using bundle = makeBundle();
    const [netDevices, linux] = JSON.parse(process.argv[1]);
    const spec = makeSpec({ linux: { netDevices, ...linux } });
    const outcome = await runScript(bundle, 'ip -o addr; ip -o link', { spec }).catch(({ code, message }) => ({ code, message }));
    const rest = spawnSync('ip', ['-o', 'link'], { encoding: 'utf8' }).stdout;
    console.log(JSON.stringify({ stdout: '', ...outcome, rest }));`;
  const setup = `
    ip link set lo up && ip link add d1 address 02:00:00:00:00:01 mtu 1300 type ${kind} &&
    ip link add d2 type ${kind === 'vxlan id 42 dstport 4789 dev lo' ? 'vxlan id 43 dstport 4790 dev lo' : kind} &&
    ip addr add 10.7.0.2/24 broadcast 10.7.0.255 dev d1 && ip addr add 169.254.9.9/16 scope link dev d1 &&
    { ip -6 addr add fd00::7/64 dev d1 nodad || true; }; ${options.setup ?? 'true'} &&
    exec "$0" --conditions=source --input-type=module -e "$1" "$2"`;
  const input = JSON.stringify([netDevices, options.linux ?? {}]);
  const { status, stdout, stderr } = inOwnNetwork(setup, process.execPath, program, input);
  assert.equal(status, 0, stderr);
  return JSON.parse(stdout) as ReturnType<typeof runWith>;
}

test('a device moves with its name, size, hardware address and global addresses, and is up', { skip }, () => {
  const { stdout, rest, message } = runWith({ d1: {} });
  assert.equal(message, undefined);
  assert.match(stdout, /d1\s+inet 10\.7\.0\.2\/24 brd 10\.7\.0\.255 scope global/);
  assert.match(stdout, /d1: <[^>]*\bUP\b[^>]*> mtu 1300/);
  assert.match(stdout, /02:00:00:00:00:01/);
  assert.match(stdout, /d1\s+inet6 fd00::7\/64 scope global/);
  // An address of the link alone is not a global one.
  assert.doesNotMatch(stdout, /169\.254\.9\.9/);
  assert.doesNotMatch(rest, / d1[:@]/);
});

test('a device can be renamed, and the kernel can number names', { skip }, () => {
  const { stdout } = runWith({ d1: { name: 'eth%d' }, d2: { name: 'other' } });
  assert.match(stdout, / eth0\s+inet 10\.7\.0\.2/);
  assert.match(stdout, / other[:@]/);
});

test('in a user namespace too', { skip }, () => {
  const mapping = [{ containerID: 0, hostID: 200_000, size: 65_536 }];
  const namespaces = ['user', 'pid', 'network', 'ipc', 'uts', 'mount'].map((type) => ({ type }));
  const linux = { namespaces, uidMappings: mapping, gidMappings: mapping };
  assert.match(runWith({ d1: { name: 'eth0' } }, { linux }).stdout, / eth0\s+inet 10\.7\.0\.2/);
});

test('what cannot be moved is named, and stays where it is', { skip }, () => {
  const missing = runWith({ none: {} });
  assert.equal(missing.code, 'ERR_OCI_INIT_FAILED');
  assert.match(
    missing.message ?? '',
    /^cannot move the network device "none" into the container: no such device/,
  );
  const taken = runWith({ d1: { name: 'lo' } });
  assert.match(
    taken.message ?? '',
    /cannot move the network device "d1" into the container: file already exists/,
  );
  assert.match(taken.rest, / d1[:@]/);
  for (const [devices, linux] of [
    [{ d1: { name: 'a/b' } }, {}],
    [{ d1: { name: 'much-too-long-a-name' } }, {}],
    [{ d1: { name: 'x' }, d2: { name: 'x' } }, {}],
    [{ d1: {} }, { namespaces: [{ type: 'pid' }, { type: 'mount' }, { type: 'uts' }] }],
  ] as const) {
    assert.equal(runWith(devices, { linux }).code, 'ERR_OCI_SPEC_CONFLICT');
  }
});
