import { conflict, type ProcessContext } from './context.ts';
import { onlyFlag } from './format.ts';
import { initStep, type Step } from './step.ts';

const sizeLimit = 0xffff;

/** Makes the process's terminal, when it has one; that of the first process is the container's console as well. */
export function planConsole(context: ProcessContext, options: { readonly isFirst: boolean }): Step[] {
  const { process } = context.input.spec;
  if (process?.terminal !== true) return [];
  const { height = 0, width = 0 } = process.consoleSize ?? {};
  if (height > sizeLimit || width > sizeLimit)
    throw conflict('$.process.consoleSize', 'is larger than any terminal');
  return [
    initStep('console', {
      purpose: "make the container's terminal",
      jsonPath: '$.process.terminal',
      fields: { height, width, flags: options.isFirst ? 0 : onlyFlag },
    }),
  ];
}
