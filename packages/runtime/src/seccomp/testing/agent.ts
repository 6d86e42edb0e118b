import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** Why there can be no agent here; false when there can. */
export function cannotCompile(): string | false {
  const { status } = spawnSync('cc', ['--version'], { stdio: 'ignore' });
  return status === 0 ? false : 'needs a C compiler (cc)';
}

/** An agent that answers `mkdir` with EXDEV. */
export interface Agent extends AsyncDisposable {
  readonly path: string;
  /** The next state that it was sent. */
  state(): Promise<Record<string, unknown>>;
}

async function nextLine(lines: Interface): Promise<string> {
  const [line] = (await once(lines, 'line')) as [string];
  return line;
}

/** Compiles the agent and waits until it listens. */
export async function startAgent(): Promise<Agent> {
  const directory = mkdtempSync(join(tmpdir(), 'oci-agent-'));
  const program = join(directory, 'agent');
  const source = fileURLToPath(new URL('./agent.c', import.meta.url));
  const { status, stderr } = spawnSync('cc', ['-O1', '-Wall', '-o', program, source], { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  const path = join(directory, 'socket');
  const child: ChildProcess = spawn(program, [path], { stdio: ['ignore', 'pipe', 'inherit'] });
  if (child.stdout === null) throw new Error('no pipe');
  const lines = createInterface(child.stdout);
  const received: string[] = [];
  await nextLine(lines);
  lines.on('line', (line) => received.push(line));
  return {
    path,
    state: async () => {
      while (received.length === 0) await once(lines, 'line');
      return JSON.parse(received.shift() as string) as Record<string, unknown>;
    },
    async [Symbol.asyncDispose]() {
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
