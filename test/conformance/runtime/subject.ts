import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, open, readFile, rm, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { defaultSpec, type Linux, type Process, type RuntimeSpec } from '@ocijs/bundle/spec';
import { busyboxRootfs } from '../../kit/busybox.ts';

/** A configuration with the parts that checks change. */
export type TestSpec = RuntimeSpec & { process: Process; linux: Linux; mounts: object[] };

/** How a call ended. A container's output is in here too while it runs with the streams of the call. */
export interface Answer {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** What a container of a check is like. */
export interface ContainerParts {
  /** Run by a shell; otherwise the container sleeps. */
  readonly script?: string;
  readonly args?: readonly string[];
  readonly change?: (spec: TestSpec) => void;
  /** Prepares the root file system. */
  readonly prepare?: (rootfs: string) => Promise<void>;
}

/** What a call is made with besides its words. */
export interface CallOptions {
  readonly cwd?: string;
  readonly input?: string;
  readonly global?: readonly string[];
  /** Open files that the runtime gets as descriptors 3 and on. */
  readonly descriptors?: readonly number[];
}

/** A bundle with an id that nobody else uses. */
export interface Container {
  readonly id: string;
  readonly directory: string;
  readonly rootfs: string;
  readonly spec: TestSpec;
  /** Runs a command of the runtime on this container: `call('kill', 'TERM')` is `runtime kill ID TERM`. */
  call(command: string | readonly string[], ...words: string[]): Promise<Answer>;
  create(...flags: string[]): Promise<Answer>;
  /** Creates and starts it; both must work. */
  begin(): Promise<void>;
  /** Runs it to its end. */
  run(...flags: string[]): Promise<Answer>;
  exec(...words: string[]): Promise<Answer>;
  /** What `state` says. */
  state(): Promise<Record<string, unknown>>;
  status(): Promise<unknown>;
  /** Writes `config.json` again. */
  write(): Promise<void>;
  /** A file of the root file system. */
  read(path: string): Promise<string>;
}

/** The runtime that is examined, and what checks do with it over and over. */
export interface Subject extends AsyncDisposable {
  readonly program: readonly string[];
  /** Runs the runtime with its own state directory. */
  call(words: readonly string[], options?: CallOptions): Promise<Answer>;
  container(parts?: ContainerParts): Promise<Container>;
  /** Runs a container that must end with 0, and returns what it printed. */
  output(parts: ContainerParts): Promise<string>;
  /** Asserts that a configuration is refused, and that nothing is left of the attempt. */
  refuses(parts: ContainerParts): Promise<Answer>;
  /** A subject of its own, whose containers are gone when it is disposed of. */
  fork(): Subject;
}

/** Waits for a condition; fails after a time in which every machine gets there. */
export async function until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!(await condition())) {
    assert.ok(Date.now() < deadline, `waited in vain: ${what}`);
    await sleep(10);
  }
}

function exited(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve(code));
  });
}

/** A configuration that every runtime of version 1.0 understands. */
function baseSpec(): TestSpec {
  const spec = defaultSpec() as TestSpec;
  spec.ociVersion = '1.0.2';
  spec.process.terminal = false;
  spec.process.noNewPrivileges = false;
  spec.process.args = ['sleep', '1000'];
  spec.linux.namespaces = (spec.linux.namespaces ?? []).filter(({ type }) => type !== 'cgroup');
  if (spec.root) spec.root.readonly = false;
  return spec;
}

/** Examines the runtime that is called as `program`; its state and all bundles are below `directory`. */
export function createSubject(program: readonly string[], directory: string): Subject {
  const containers: Container[] = [];
  const root = `${directory}/state`;

  async function call(words: readonly string[], options: CallOptions = {}): Promise<Answer> {
    // Files: a container that goes on after the call would keep pipes open.
    const base = `${directory}/call-${randomUUID()}`;
    await writeFile(`${base}.in`, options.input ?? '');
    const input = await open(`${base}.in`, 'r');
    const files = await Promise.all(['out', 'err'].map((name) => open(`${base}.${name}`, 'wx')));
    try {
      const [file = '', ...before] = program;
      const child = spawn(file, [...before, '--root', root, ...(options.global ?? []), ...words], {
        stdio: [input.fd, ...files.map(({ fd }) => fd), ...(options.descriptors ?? [])],
        timeout: 60_000,
        killSignal: 'SIGKILL',
        ...(options.cwd !== undefined && { cwd: options.cwd }),
      });
      const status = await exited(child);
      const [stdout = '', stderr = ''] = await Promise.all(
        ['out', 'err'].map((name) => readFile(`${base}.${name}`, 'utf8')),
      );
      return { status, stdout, stderr };
    } finally {
      await Promise.all([input, ...files].map((handle) => handle.close()));
    }
  }

  async function container(parts: ContainerParts = {}): Promise<Container> {
    const id = `conf-${randomUUID().slice(0, 13)}`;
    const at = `${directory}/${id}`;
    await mkdir(at);
    const rootfs = await busyboxRootfs(at);
    const spec = baseSpec();
    if (parts.script !== undefined) spec.process.args = ['sh', '-c', parts.script];
    if (parts.args !== undefined) spec.process.args = [...parts.args];
    parts.change?.(spec);
    await parts.prepare?.(rootfs);
    const write = (): Promise<void> => writeFile(`${at}/config.json`, JSON.stringify(spec));
    await write();
    const own: Container = {
      ...{ id, directory: at, rootfs, spec, write },
      call: (command, ...words) => call([...[command].flat(), id, ...words]),
      create: (...flags) => call(['create', '--bundle', at, ...flags, id]),
      async begin() {
        succeeded(await own.create());
        succeeded(await own.call('start'));
      },
      run: (...flags) => call(['run', '--bundle', at, ...flags, id]),
      exec: (...words) => call(['exec', ...words]),
      state: async () => JSON.parse(succeeded(await own.call('state')).stdout) as Record<string, unknown>,
      status: async () => (await own.state())['status'],
      read: (path) => readFile(`${rootfs}/${path}`, 'utf8'),
    };
    containers.push(own);
    return own;
  }

  return {
    ...{ program, call, container },
    async output(parts) {
      return succeeded(await (await container(parts)).run()).stdout;
    },
    async refuses(parts) {
      const refused = await container(parts);
      const answer = await refused.create();
      assert.notEqual(answer.status, 0, 'the configuration is accepted');
      assert.notEqual(answer.stderr, '', 'the error says nothing');
      assert.notEqual((await refused.call('state')).status, 0, 'a container is left');
      return answer;
    },
    fork: () => createSubject(program, directory),
    async [Symbol.asyncDispose]() {
      for (const { id, directory: at } of containers) {
        if (existsSync(root)) await call(['delete', '--force', id]);
        await rm(at, { recursive: true, force: true });
      }
    },
  };
}

/** True when a process has ended, also one that nobody waited for yet. */
export function isGone(pid: unknown): boolean {
  try {
    return /^\d+ \(.*\) [ZX]/s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return true;
  }
}

/** The answer of a call that must work. */
export function succeeded(answer: Answer): Answer {
  assert.equal(answer.status, 0, `exit ${answer.status}: ${answer.stderr}${answer.stdout}`);
  return answer;
}

/** Asserts that a call failed with a message. */
export function failed(answer: Answer, message: RegExp = /./): void {
  assert.notEqual(answer.status, 0, `the call works: ${answer.stdout}`);
  assert.match(answer.stderr, message);
}
