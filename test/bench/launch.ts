import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import type { RuntimeSpec } from '@ocijs/bundle/spec';
import { create, launch, remove } from '@ocijs/runtime';
import { busyboxBundle } from '../kit/busybox.ts';
import { output } from '../kit/command.ts';
import { runtimeProgram } from '../kit/oci.ts';
import { findCommand, missing } from '../kit/requirements.ts';
import type { Comparison, Contender } from './measure.ts';

/** A contender that runs a program and wants exit code 0. */
function program(name: string, words: readonly string[], foreign = false): Contender {
  const [file = '', ...args] = words;
  return { name, foreign, run: async () => void (await output(file, args)) };
}

/** The runtimes that are installed, by their names; ours is the first one. */
function runtimes(): readonly (readonly [name: string, words: readonly string[]])[] {
  return [
    ['oci-runtime', [process.execPath, runtimeProgram]],
    ['runc', ['runc']],
    ...(findCommand('crun') === undefined ? [] : [['crun', ['crun']] as const]),
  ];
}

/** Starting busybox `true` in a container, to its end. */
export async function launchComparison(directory: string): Promise<Comparison | string> {
  const reason = missing({ root: true, commands: ['busybox', 'runc'] });
  if (reason) return reason;
  const bundle = await busyboxBundle(directory, { args: ['true'] });
  const state = `${directory}/state`;
  await mkdir(state);
  let count = 0;
  const runtime = (name: string, program: readonly string[]): Contender => ({
    name,
    foreign: program[0] !== process.execPath,
    run: async () => {
      const [file = '', ...args] = program;
      const flags = ['--root', `${state}/${name.replaceAll(' ', '-')}`, 'run', '--bundle', bundle];
      await output(file, [...args, ...flags, `ocijs-bench-${process.pid}-${count++}`]);
    },
  });
  return {
    title: 'launch: busybox true, six namespaces',
    contenders: [
      runtime('runc run', ['runc']),
      ...(findCommand('crun') === undefined ? [] : [runtime('crun run', ['crun'])]),
      runtime('oci-runtime run', [process.execPath, runtimeProgram]),
      { name: 'launch()', run: () => launchInProcess(bundle, `${state}/library`) },
      {
        // The same namespaces and a change of root by util-linux, without mounts, groups, filters and state.
        ...program('unshare, chroot', [
          ...['unshare', '--mount', '--uts', '--ipc', '--net', '--pid', '--cgroup', '--fork'],
          ...['chroot', `${directory}/rootfs`, 'true'],
        ]),
        foreign: true,
      },
      program('node -e 0', [process.execPath, '-e', '0']),
    ],
  };
}

async function launchInProcess(bundle: string, root: string): Promise<void> {
  await using container = await launch(bundle, { root, stdio: 'ignore' });
  const { exitCode } = await container.wait();
  if (exitCode !== 0) throw new Error(`launch() ended with ${exitCode}`);
}

/** A hundred launches at once, from one program. */
export async function parallelLaunchComparison(directory: string): Promise<Comparison | string> {
  const reason = missing({ root: true, commands: ['busybox'] });
  if (reason) return reason;
  const bundle = await busyboxBundle(directory, { args: ['true'] });
  const many = async (count: number, together: number): Promise<void> => {
    let left = count;
    const worker = async (): Promise<void> => {
      while (left-- > 0) await launchInProcess(bundle, `${directory}/state`);
    };
    await Promise.all(Array.from({ length: together }, worker));
  };
  const cores = availableParallelism();
  return {
    title: 'launch: 100 of busybox true',
    contenders: [1, cores, 4 * cores, 100].map((together) => ({
      name: together === 1 ? 'one after another' : `${together} at a time`,
      run: () => many(100, together),
    })),
  };
}

/** The commands of a container's life, and of a further process in it. */
export async function cycleComparison(directory: string): Promise<Comparison | string> {
  const reason = missing({ root: true, commands: ['busybox', 'runc'] });
  if (reason) return reason;
  const bundle = await busyboxBundle(directory, { args: ['sleep', '1000'] });
  let count = 0;
  return {
    title: 'create, start, state, delete --force',
    contenders: runtimes().map(([name, [file = '', ...before]]) => ({
      name,
      foreign: name !== 'oci-runtime',
      run: async () => {
        const id = `ocijs-cycle-${process.pid}-${count++}`;
        const call = (...words: readonly string[]): Promise<void> =>
          quiet(file, [...before, '--root', `${directory}/${name}`, ...words, id]);
        await call('create', '--bundle', bundle);
        await call('start');
        await call('state');
        await call('delete', '--force');
      },
    })),
  };
}

/** A process in a running container, to its end. */
export async function execComparison(directory: string): Promise<Comparison | string> {
  const reason = missing({ root: true, commands: ['busybox', 'runc'] });
  if (reason) return reason;
  const bundle = await busyboxBundle(directory, { args: ['sleep', '1000'] });
  const id = `ocijs-exec-${process.pid}`;
  const started: (() => Promise<void>)[] = [];
  const contenders: Contender[] = [program('node -e 0', [process.execPath, '-e', '0'])];
  for (const [name, [file = '', ...before]] of runtimes()) {
    const own = [...before, '--root', `${directory}/${name}`];
    try {
      await quiet(file, [...own, 'run', '--detach', '--bundle', bundle, id]);
    } catch (error) {
      if (name === 'oci-runtime') throw error;
      continue; // somebody else's program, which may not work on this machine
    }
    started.push(() => quiet(file, [...own, 'delete', '--force', id]));
    contenders.push({ name, run: () => quiet(file, [...own, 'exec', id, 'true']) });
  }
  return {
    title: 'exec true in a running container',
    contenders,
    close: async () => {
      for (const end of started) await end();
    },
  };
}

/** Runs a program without its streams, which a container that goes on would keep open. */
async function quiet(file: string, args: readonly string[]): Promise<void> {
  const child = spawn(file, [...args], { stdio: 'ignore' });
  const [code, signal] = (await once(child, 'exit')) as [number | null, string | null];
  if (code !== 0) throw new Error(`${file} ${args.join(' ')}: ${signal ?? `exit ${code}`}`);
}

/** What a created container costs, and under how little memory one starts; in words. */
export async function memoryOfContainer(directory: string): Promise<string> {
  const reason = missing({ root: true, commands: ['busybox'] });
  if (reason) return `memory: left out: ${reason}`;
  const bundle = await busyboxBundle(directory, { args: ['true'] });
  const root = `${directory}/state`;
  const id = `ocijs-memory-${process.pid}`;
  const { pid } = await create(id, { bundle, root, stdio: ['ignore', 'ignore', 'ignore'] });
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  await remove(id, { root, force: true });
  const resident = /^VmRSS:\s*(.*)$/m.exec(status)?.[1] ?? 'unknown';
  for (const kibibytes of [128, 192, 256, 384, 512, 1024, 2048]) {
    const spec = JSON.parse(await readFile(`${bundle}/config.json`, 'utf8')) as RuntimeSpec;
    spec.linux = { ...spec.linux, resources: { memory: { limit: kibibytes * 1024 } } };
    try {
      await using container = await launch({ directory: bundle, config: spec }, { root, stdio: 'ignore' });
      if ((await container.wait()).exitCode === 0)
        return `memory: a created container has ${resident}; one starts under a limit of ${kibibytes} KiB`;
    } catch {
      // Too little; the next one.
    }
  }
  return `memory: a created container has ${resident}; none starts under a limit of 2 MiB`;
}
