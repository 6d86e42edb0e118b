import type { ReadStream, WriteStream } from 'node:tty';
import { environment } from '../../env.ts';
import type { Report } from '../model/report.ts';
import { drawScreen, footLines, headLines, pageLines, type Screen } from './draw.ts';
import { keysOf } from './keys.ts';
import { createPaint } from './paint.ts';
import { type ExploreState, firstState } from './state.ts';
import { scrolled, type UpdateOptions, update } from './update.ts';

/** Enters the alternate screen without a cursor, and leaves it. */
const enter = '\u001b[?1049h\u001b[?25l\u001b[?7l';
const leave = '\u001b[?7h\u001b[?25h\u001b[?1049l';

/** The terminal; default: that of the process. */
export interface TerminalOptions {
  readonly input?: ReadStream;
  readonly output?: WriteStream;
  readonly signal: AbortSignal;
}

/** Shows a report on a terminal until `q` or the signal; the terminal is then as it was before. */
export async function exploreTerminal(
  report: Report,
  { input = process.stdin, output = process.stdout, signal }: TerminalOptions,
): Promise<void> {
  const paint = createPaint({ colours: hasColours(output) });
  let state = firstState(report);
  const screen = (): Screen => ({ columns: output.columns || 80, rows: output.rows || 24, paint });
  const measure = (of: ExploreState): UpdateOptions => {
    const now = screen();
    const height = Math.max(1, now.rows - headLines - footLines);
    return { height, columns: now.columns, lines: pageLines(of, now).length };
  };
  const draw = (): void => {
    const lines = drawScreen(state, screen());
    // Erased first: behind a full line the cursor still stands on its last character.
    output.write(`\u001b[H${lines.map((line) => `\u001b[2K${line}\u001b[0m`).join('\r\n')}`);
  };

  const { promise: ended, resolve: end } = Promise.withResolvers<void>();
  const onInput = (chunk: Buffer | string): void => {
    for (const key of keysOf(String(chunk))) {
      if (key === 'ctrl-z') continue;
      const next = update(state, key, measure(state));
      if (next === undefined) {
        end();
        return;
      }
      state = scrolled(next, measure(next));
    }
    draw();
  };
  const onResize = (): void => {
    state = scrolled(state, measure(state));
    draw();
  };
  const restore = (): void => {
    input.setRawMode(false);
    output.write(leave);
  };
  // Also when something throws that nobody catches, or a second signal ends the process.
  process.once('exit', restore);
  signal.addEventListener('abort', () => end(), { once: true });
  input.setRawMode(true);
  output.write(enter);
  try {
    input.on('data', onInput);
    input.once('end', end);
    output.on('resize', onResize);
    draw();
    if (!signal.aborted) await ended;
  } finally {
    input.removeListener('data', onInput);
    input.pause();
    output.removeListener('resize', onResize);
    process.removeListener('exit', restore);
    restore();
  }
}

function hasColours(output: WriteStream): boolean {
  const noColour = environment['NO_COLOR'];
  if (noColour !== undefined && noColour !== '') return false;
  return environment['TERM'] !== 'dumb' && output.hasColors();
}
