import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, constants, openSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { RuntimeError } from '../../errors.ts';
import { networkHelperTimeout } from '../../limits.ts';
import { identify, type ProcessIdentity } from '../../process/stat.ts';
import { containerDirectory } from '../../state/store.ts';
import { formatPort } from '../format-port.ts';
import { findIn, helperPath } from '../programs.ts';
import type { NetworkConnection, PortMapping } from '../types.ts';
import { slirpAddress, slirpGateway } from './addresses.ts';
import type { Connecting } from './connecting.ts';

const device = 'tap0';
const socketName = 'slirp4netns.sock';

/**
 * Connects a container through slirp4netns, which is told of each port by its socket. Resolves when the device is
 * configured and ports are open; `onStarted` is called before that with what has to be ended.
 */
export async function connectSlirp4netns(
  connecting: Connecting,
  onStarted: (helper: ProcessIdentity) => void,
): Promise<NetworkConnection> {
  const { root, id, pid, ports, hostLoopback, signal } = connecting;
  ports.forEach(requireSupported);
  const directory = containerDirectory(root, id);
  const log = openSync(`${directory}/slirp4netns.log`, 'w', 0o600);
  const path = findIn(helperPath(), 'slirp4netns') ?? 'slirp4netns';
  const child = spawn(
    path,
    [
      ...['--configure', '--mtu=65520', '--enable-sandbox', '--enable-seccomp', '--ready-fd=3'],
      ...(hostLoopback ? [] : ['--disable-host-loopback']),
      ...(ports.length === 0 ? [] : [`--api-socket=${socketName}`]),
      String(pid),
      device,
    ],
    {
      // The socket's path must be short, and the directory's may be long.
      cwd: directory,
      env: { PATH: helperPath() },
      detached: true,
      stdio: ['ignore', 'ignore', log, 'pipe'],
    },
  );
  closeSync(log);
  const started = new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', (cause) => reject(failure(cause.message)));
  });
  await started;
  const helper = child.pid === undefined ? undefined : identify(child.pid);
  if (helper !== undefined) onStarted(helper);
  const ready = await readiness(child, signal);
  child.unref();
  if (ready !== '1') throw failure(readFileSync(`${directory}/slirp4netns.log`, 'utf8').trim());
  for (const port of ports) await publish(directory, port, signal);
  return {
    mode: 'slirp4netns',
    device,
    addresses: [slirpAddress],
    ...(hostLoopback && { host: slirpGateway }),
    ports,
  };
}

/** What it says when it is ready; nothing when it failed, or was ended as it took too long. Throws the signal's reason. */
async function readiness(child: ChildProcess, signal: AbortSignal | undefined): Promise<string> {
  const patience = AbortSignal.any([
    ...(signal === undefined ? [] : [signal]),
    AbortSignal.timeout(networkHelperTimeout),
  ]);
  const onAbort = (): void => void child.kill('SIGKILL');
  patience.addEventListener('abort', onAbort, { once: true });
  try {
    const ready = await text(child.stdio[3] as Readable);
    signal?.throwIfAborted();
    return ready;
  } finally {
    patience.removeEventListener('abort', onAbort);
  }
}

function requireSupported(port: PortMapping): void {
  if (port.protocol !== 'sctp' && !port.hostIp?.includes(':')) return;
  throw new RuntimeError(
    'ERR_OCI_NETWORK_INVALID',
    `slirp4netns publishes TCP and UDP ports of IPv4 addresses, not ${formatPort(port)}`,
    { hint: 'pasta publishes ports of IPv6 addresses, a bridge those of SCTP.' },
  );
}

async function publish(directory: string, port: PortMapping, signal: AbortSignal | undefined): Promise<void> {
  const { hostIp = '0.0.0.0', hostPort, containerPort, protocol } = port;
  const request = {
    execute: 'add_hostfwd',
    arguments: {
      proto: protocol,
      host_addr: hostIp,
      host_port: hostPort,
      guest_addr: slirpAddress,
      guest_port: containerPort,
    },
  };
  const answer = await ask(directory, JSON.stringify(request), signal);
  if (!/"error"/.test(answer)) return;
  const reason = /"desc"\s*:\s*"([^"]*)"/.exec(answer)?.[1] ?? answer;
  throw failure(`port ${formatPort(port)} cannot be published: ${reason}`);
}

/** One question and its answer; slirp4netns reads until its caller has said all. */
async function ask(directory: string, question: string, signal: AbortSignal | undefined): Promise<string> {
  const fd = openSync(directory, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    const socket = connect({ path: `/proc/self/fd/${fd}/${socketName}`, allowHalfOpen: true });
    socket.setTimeout(networkHelperTimeout, () => socket.destroy(new Error('no answer')));
    const onAbort = (): void => void socket.destroy(signal?.reason);
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      socket.end(question);
      return await text(socket);
    } finally {
      signal?.removeEventListener('abort', onAbort);
      socket.destroy();
    }
  } finally {
    closeSync(fd);
  }
}

function failure(reason: string): RuntimeError {
  return new RuntimeError('ERR_OCI_NETWORK_FAILED', `slirp4netns failed: ${reason}`, {
    hint: 'See `oci doctor`; --network none does without it.',
  });
}
