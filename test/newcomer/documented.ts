import { mkdir } from 'node:fs/promises';
import { blocksOf } from '../docs/blocks.ts';
import { around, exampleBlocks, exampleStep, follow, hasWorked } from '../docs/follow.ts';
import { elsewhere } from '../docs/not-run.ts';
import { pages, readPage } from '../docs/pages.ts';
import { openPlace, type Place } from '../docs/place.ts';
import { type Step, stepsOf } from '../docs/steps.ts';

/** What a command line printed, and how it ended. */
export interface Printed {
  readonly status: number | null;
  readonly text: string;
}

/** Where {@link documented} works, and to whom it says what happened. */
export interface DocumentedOptions {
  readonly directory: string;
  readonly report: (line: string, printed: Printed) => void;
  readonly problems: string[];
}

/** Types every command line of the documentation: page by page, then the examples of each command's help. */
export async function documented({ directory, report, problems }: DocumentedOptions): Promise<void> {
  const reader = async (place: Place, step: Step, shown: string): Promise<void> => {
    if (step.kind === 'skip') return report(shown, { status: null, text: `not run: ${step.reason}` });
    const result = await follow(place, step);
    report(shown, { status: result.status, text: result.stdout + result.stderr });
    if (!hasWorked(step, result)) problems.push(`${shown}: ended with ${result.status}`);
  };
  for (const [index, page] of pages.entries()) {
    const blocks = blocksOf(readPage(page), 'sh');
    if (blocks.length === 0 || page in elsewhere) continue;
    process.stdout.write(`\n── ${page}\n`);
    await using place = await openPlaceIn(`${directory}/${index}`, { asUser: page.endsWith('rootless.md') });
    for (const { text } of blocks)
      for (const step of stepsOf(page, text)) await reader(place, step, step.text);
  }
  await using place = await openPlaceIn(`${directory}/examples`);
  for (const { command, lines } of exampleBlocks()) {
    process.stdout.write(`\n── oci ${command} --help\n`);
    await around(place, 'before', command);
    for (const line of lines) {
      const step = exampleStep(line);
      if (step.kind === 'type') await around(place, 'before', line);
      await reader(place, step, line);
    }
    await around(place, 'after', command);
  }
}

async function openPlaceIn(directory: string, options?: { readonly asUser: boolean }): Promise<Place> {
  await mkdir(directory, { recursive: true });
  return openPlace(directory, options);
}
