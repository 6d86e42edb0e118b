import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import { RuntimeError } from '../errors.ts';
import type { CompiledPlan } from '../plan/compile.ts';
import { initBinary, keepSealedCopy } from './binary.ts';
import { stepFailure } from './failure.ts';
import { createMessageReader, type Message, messageTypes } from './messages.ts';
import { openPipes, type Pipes, pipeMask } from './pipes.ts';
import { checkPreservedFds } from './preserved-fds.ts';
import { attachedProcess, detachedProcess } from './process.ts';
import type { InitExit, InitProcess, ProcessOptions } from './types.ts';
import { exitOf } from './wait-status.ts';

/** What a monitor needs to know besides its plan. */
export interface MonitorOptions
  extends Pick<ProcessOptions, 'stdio' | 'preserveFds' | 'lifetime' | 'hostSession' | 'signal'> {
  readonly terminal: boolean;
  /** Puts the process into a cgroup, when it has done nothing yet. */
  readonly enterCgroup?: ((pid: number) => Promise<void>) | undefined;
  /** Called when the namespaces and cgroups are there and the root file system is still the host's. */
  readonly onCreated?: ((pid: number) => Promise<void>) | undefined;
}

/** A running monitor, and the conversation with it. */
interface Monitor {
  readonly child: ChildProcess;
  readonly control: Socket;
  readonly plan: CompiledPlan;
  readonly options: MonitorOptions;
  readonly ended: Promise<InitExit>;
}

function spawnMonitor(plan: CompiledPlan, options: MonitorOptions): Monitor {
  const preserved = Array.from({ length: options.preserveFds ?? 0 }, (_, index) => index + 3);
  const stdio = options.stdio.map((option) => (option === 'pipe' && !options.terminal ? 'ignore' : option));
  const child = spawn(initBinary(4 + preserved.length), [String(3 + preserved.length)], {
    // A container sees the command line of a process that is on its way in.
    argv0: 'oci-init',
    stdio: [...stdio, ...preserved, 'pipe'] as StdioOptions,
    env: {},
    cwd: '/',
    detached: false,
  });
  const control = child.stdio[3 + preserved.length] as Socket;
  const ended = new Promise<InitExit>((resolve) => {
    child.once('exit', (code, signal) =>
      resolve(signal ? { exitCode: 137, signal } : { exitCode: code ?? 0 }),
    );
  });
  return { child, control, plan, options, ended };
}

/** Sends the plan: its length, then its bytes. */
function sendPlan({ control, plan }: Monitor): void {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(plan.bytes.length);
  control.write(Buffer.concat([length, plan.bytes]));
}

/** With a terminal, pipes lead to the monitor, which relays; without, to the container itself. */
function streamsOf({ child, options }: Monitor, pipes: Pipes): Pipes {
  if (!options.terminal) return pipes;
  const { stdin, stdout, stderr } = child;
  return { ...(stdin && { stdin }), ...(stdout && { stdout }), ...(stderr && { stderr }) };
}

interface Creation {
  readonly pid: number;
  readonly pipes: Pipes;
}

/** Answers the monitor's questions until the process is created. */
function converse(monitor: Monitor, onExit: (exit: InitExit) => void): Promise<Creation> {
  const { control, options, plan } = monitor;
  let pipes: Pipes = {};
  return new Promise<Creation>((resolve, reject) => {
    const read = createMessageReader();
    const answer = (): void => void control.write('\0');
    const handle = (message: Message): void => {
      switch (message.type) {
        case messageTypes.pipes:
          pipes = openPipes(
            message.value,
            pipeMask(options.stdio),
            message.detail.trim().split(' ').map(Number),
          );
          answer();
          break;
        case messageTypes.cgroup:
          options.enterCgroup?.(message.value).then(answer, reject);
          break;
        case messageTypes.hooks:
          options.onCreated?.(message.value).then(answer, reject);
          break;
        case messageTypes.created:
          resolve({ pid: message.value, pipes });
          break;
        case messageTypes.exited:
          onExit(exitOf(message.value));
          break;
        default:
          reject(stepFailure(plan, message));
      }
    };
    monitor.child.once('error', (cause) =>
      reject(
        new RuntimeError('ERR_OCI_INIT_FAILED', `cannot start the native init: ${cause.message}`, { cause }),
      ),
    );
    control.on('data', (chunk: Buffer) => {
      try {
        for (const message of read(chunk)) handle(message);
      } catch (error) {
        reject(error);
      }
    });
    control.on('error', reject);
    control.on('close', () =>
      reject(new RuntimeError('ERR_OCI_INIT_FAILED', 'the monitor ended unexpectedly')),
    );
    sendPlan(monitor);
  });
}

/** Ends a monitor that has not created its process: hanging up makes it kill what it started. */
async function abandon({ child, control, ended }: Monitor): Promise<void> {
  control.destroy();
  if (child.pid !== undefined) await ended;
}

function aborted(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_, reject) => {
    signal?.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

/**
 * Has a monitor carry out a plan, and returns when its process is created. Throws ERR_OCI_EXEC_NOT_FOUND and
 * ERR_OCI_EXEC_DENIED for its program, ERR_OCI_INIT_FAILED with the step that failed for anything else,
 * ERR_OCI_INIT_MISSING when the native init was not built. A failed or aborted call leaves no process, mount, descriptor
 * or file behind.
 */
export async function runPlan(plan: CompiledPlan, options: MonitorOptions): Promise<InitProcess> {
  options.signal?.throwIfAborted();
  checkPreservedFds(options.preserveFds ?? 0);
  const monitor = spawnMonitor(plan, options);
  let reported: InitExit | undefined;
  try {
    const creation = converse(monitor, (exit) => {
      reported = exit;
    });
    const { pid, pipes } = await Promise.race([creation, aborted(options.signal)]);
    const streams = streamsOf(monitor, pipes);
    if (monitor.child.pid !== undefined) keepSealedCopy(monitor.child.pid);
    if (options.lifetime === 'detached') {
      await monitor.ended;
      return detachedProcess(pid, streams);
    }
    return attachedProcess(monitor, { pid, streams, report: () => reported });
  } catch (error) {
    await abandon(monitor);
    throw error;
  }
}
