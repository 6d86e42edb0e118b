import { output } from '../kit/command.ts';
import { ociProgram, runtimeProgram } from '../kit/oci.ts';
import type { Comparison } from './measure.ts';

/** How long a program takes to say its version, against Node doing nothing. */
export async function startComparison(): Promise<Comparison> {
  const node =
    (...args: string[]) =>
    async () =>
      void (await output(process.execPath, args));
  return {
    title: 'start: --version against node -e 0',
    contenders: [
      { name: 'node -e 0', run: node('-e', '0') },
      { name: 'oci-runtime --version', run: node(runtimeProgram, '--version') },
      { name: 'oci --version', run: node(ociProgram, '--version') },
    ],
  };
}
