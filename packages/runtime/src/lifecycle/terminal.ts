import type { RuntimeSpec } from '@ocijs/bundle/spec';
import { RuntimeError } from '../errors.ts';

const jsonPath = '$.process.terminal';

/** Who takes the terminal of a container must be known. Throws ERR_OCI_SPEC_CONFLICT. */
export function checkTerminal(
  spec: RuntimeSpec,
  options: {
    readonly consoleSocket?: string | undefined;
    readonly lifetime: 'detached' | 'attached';
  },
): void {
  const terminal = spec.process?.terminal ?? false;
  if (options.consoleSocket !== undefined && !terminal) {
    const message = 'a console socket is of no use without process.terminal';
    throw new RuntimeError('ERR_OCI_SPEC_CONFLICT', message, { jsonPath });
  }
  if (terminal && options.lifetime === 'detached' && options.consoleSocket === undefined) {
    throw new RuntimeError(
      'ERR_OCI_SPEC_CONFLICT',
      'process.terminal of a detached container needs a console socket',
      { jsonPath, hint: 'Give --console-socket, or set process.terminal to false.' },
    );
  }
}
