import { RuntimeError } from '../errors.ts';
import type { CompiledPlan } from '../plan/compile.ts';
import { keepSealedCopy } from './binary.ts';
import { stepFailure } from './failure.ts';
import { createMessageReader, type Message, messageTypes } from './messages.ts';
import { openPipes, type Pipes, pipeMask } from './pipes.ts';
import { checkPreservedFds } from './preserved-fds.ts';
import { attachedProcess, closeStreams, detachedProcess } from './process.ts';
import { type MonitorProcess, spawnMonitor } from './spawn-monitor.ts';
import type { InitExit, InitProcess, ProcessOptions, StdioOption } from './types.ts';
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
  readonly process: MonitorProcess;
  readonly plan: CompiledPlan;
  readonly options: MonitorOptions;
}

/** The monitor's descriptors: the container's own pipes are made by it, and not given. */
function descriptorsOf({ stdio, terminal, preserveFds = 0 }: MonitorOptions): StdioOption[] {
  const streams = stdio.map((option) => (option === 'pipe' && !terminal ? 'ignore' : option));
  return [...streams, ...Array.from({ length: preserveFds }, (_, index) => index + 3)];
}

/** Sends the plan: its length, then its bytes. */
function sendPlan({ process: { control }, plan }: Monitor): void {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(plan.bytes.length);
  control.write(Buffer.concat([length, plan.bytes]));
}

/** With a terminal, pipes lead to the monitor, which relays; without, to the container itself. */
function streamsOf({ process, options }: Monitor, pipes: Pipes): Pipes {
  return options.terminal ? process.streams : pipes;
}

interface Creation {
  readonly pid: number;
  readonly pipes: Pipes;
}

/** Answers the monitor's questions until the process is created. */
function converse(monitor: Monitor, onExit: (exit: InitExit) => void): Promise<Creation> {
  const { options, plan } = monitor;
  const { control } = monitor.process;
  let pipes: Pipes = {};
  const creation = new Promise<Creation>((resolve, reject) => {
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
    monitor.process.failed.catch(reject);
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
  creation.catch(() => closeStreams(pipes));
  return creation;
}

/** Ends a monitor that has not created its process: hanging up makes it kill what it started. */
async function abandon({ process: { control, pid, ended } }: Monitor): Promise<void> {
  control.destroy();
  if (pid !== undefined) await ended;
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
  const monitor = { process: await spawnMonitor(descriptorsOf(options)), plan, options };
  const { ended } = monitor.process;
  let reported: InitExit | undefined;
  try {
    const creation = converse(monitor, (exit) => {
      reported = exit;
    });
    const { pid, pipes } = await Promise.race([creation, aborted(options.signal)]);
    const streams = streamsOf(monitor, pipes);
    if (monitor.process.pid !== undefined) keepSealedCopy(monitor.process.pid);
    if (options.lifetime === 'detached') {
      await ended;
      return detachedProcess(pid, streams);
    }
    const { hostSession = false } = options;
    return attachedProcess(monitor.process, { pid, streams, hostSession, report: () => reported });
  } catch (error) {
    await abandon(monitor);
    throw error;
  }
}
