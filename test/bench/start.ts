import { output } from '../kit/command.ts';
import { ociProgram, runtimeProgram } from '../kit/oci.ts';
import type { Comparison } from './measure.ts';

/** How long the programs take to answer, against Node doing nothing; the compiled code is in the cache by then. */
export async function startComparison(): Promise<Comparison> {
  const node =
    (...args: string[]) =>
    async () =>
      void (await output(process.execPath, args));
  return {
    title: 'start, against node -e 0',
    contenders: [
      { name: 'node -e 0', run: node('-e', '0') },
      { name: 'oci-runtime --version', run: node(runtimeProgram, '--version') },
      { name: 'oci --version', run: node(ociProgram, '--version') },
      { name: 'oci --help', run: node(ociProgram, '--help') },
      { name: 'oci pull --help', run: node(ociProgram, 'pull', '--help') },
    ],
  };
}
