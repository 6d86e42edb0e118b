import { conflict, type PlanContext } from './context.ts';
import { initStep, type Step } from './step.ts';

const sizeLimit = 0xffff;

/** Makes the container's terminal, when it has one. */
export function planConsole(context: PlanContext): Step[] {
  const { process } = context.input.spec;
  if (process?.terminal !== true) return [];
  const { height = 0, width = 0 } = process.consoleSize ?? {};
  if (height > sizeLimit || width > sizeLimit)
    throw conflict('$.process.consoleSize', 'is larger than any terminal');
  return [
    initStep('console', {
      purpose: "make the container's terminal",
      jsonPath: '$.process.terminal',
      fields: { height, width },
    }),
  ];
}
