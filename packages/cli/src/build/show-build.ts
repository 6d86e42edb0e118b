import type { BuildEvent } from '@ocijs/build';
import type { ProgressMode, ProgressStream } from '../render/progress.ts';
import { printable } from '../render/text.ts';

/** Shows the events of a build: a line for each step and each line of its output, or JSON lines. */
export function showBuild(mode: ProgressMode, stream: ProgressStream): (event: BuildEvent) => void {
  if (mode === 'none') return () => undefined;
  if (mode === 'json') return (event) => stream.write(`${JSON.stringify(event)}\n`);
  return (event) => {
    const line = lineOf(event);
    if (line !== undefined) stream.write(`${line}\n`);
  };
}

/** What a log keeps of an event. */
function lineOf(event: BuildEvent): string | undefined {
  switch (event.type) {
    case 'step-start':
      return `[${event.stage} ${event.step}/${event.steps}] ${printable(event.text)}`;
    case 'step-output':
      return `[${event.stage} ${event.step}] ${printable(event.line)}`;
    case 'step-done':
      return event.status === 'cached'
        ? `[${event.stage} ${event.step}] cached`
        : `[${event.stage} ${event.step}] done in ${(event.milliseconds / 1000).toFixed(1)} s`;
    case 'warning':
      return `warning: ${printable(event.message)}`;
    default:
      return undefined;
  }
}
