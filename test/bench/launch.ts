import { mkdir } from 'node:fs/promises';
import { launch } from '@ocijs/runtime';
import { busyboxBundle } from '../kit/busybox.ts';
import { output } from '../kit/command.ts';
import { runtimeProgram } from '../kit/oci.ts';
import { findCommand, missing } from '../kit/requirements.ts';
import type { Comparison, Contender } from './measure.ts';

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
    ],
  };
}

async function launchInProcess(bundle: string, root: string): Promise<void> {
  await using container = await launch(bundle, { root, stdio: 'ignore' });
  const { exitCode } = await container.wait();
  if (exitCode !== 0) throw new Error(`launch() ended with ${exitCode}`);
}
