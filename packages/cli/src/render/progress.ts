import type { OciEvent, OnEvent } from '@ocijs/image';
import { createBars } from './bars.ts';
import { formatBytes } from './bytes.ts';
import { noteOf } from './pace.ts';
import { printable, shortId } from './text.ts';

export const progressModes = ['auto', 'tty', 'plain', 'json', 'none'] as const;

/** How progress is shown on stderr. */
export type ProgressMode = (typeof progressModes)[number];

/** What progress is shown on. */
export interface ProgressStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/** Shows events; `finish` leaves the terminal as it should be and is safe to call twice. */
export interface Progress {
  readonly onEvent: OnEvent;
  finish(): void;
}

export interface ProgressOptions {
  readonly mode: ProgressMode;
  readonly stream: ProgressStream;
  /** Treats a terminal like a log, as in CI. */
  readonly unattended: boolean;
  /** Shows `warning` events. */
  readonly warnings: boolean;
}

/** Makes the renderer for a mode: bars on a terminal, a line per finished step otherwise, JSON lines, or nothing. */
export function createProgress({ mode, stream, unattended, warnings }: ProgressOptions): Progress {
  const isBars = mode === 'tty' || (mode === 'auto' && stream.isTTY === true && !unattended);
  if (mode === 'json') {
    return { onEvent: (event) => stream.write(`${JSON.stringify(event)}\n`), finish: () => undefined };
  }
  const bars = isBars ? createBars(stream) : undefined;
  const print = bars?.print ?? ((line: string) => stream.write(`${line}\n`));
  const lineOf = mode === 'none' || isBars ? () => undefined : plainLine;
  return {
    onEvent: (event) => {
      bars?.show(event);
      if (event.type === 'warning') {
        if (warnings) print(`warning: ${printable(event.message)}`);
        return;
      }
      const line = lineOf(event);
      if (line !== undefined) print(line);
    },
    finish: () => bars?.finish(),
  };
}

/** One line for a step that a log should keep; undefined for the rest. */
export function plainLine(event: OciEvent): string | undefined {
  switch (event.type) {
    case 'resolve':
      return `resolved ${printable(event.reference)} to ${event.digest}`;
    case 'blob-start':
      return `${shortId(event.digest)} started, ${formatBytes(event.total)}`;
    case 'blob-done':
      return `${shortId(event.digest)} ${event.status}, ${formatBytes(event.total)}`;
    case 'retry':
      return `retry ${event.attempt} in ${Math.round(event.delayMs)} ms: ${printable(event.reason)}`;
    case 'slow-down':
    case 'rate-limit':
      return noteOf(event);
    case 'unpack-start':
      return `unpacking ${event.layers} layer${event.layers === 1 ? '' : 's'}, ${formatBytes(event.total)}`;
    case 'layer-read':
      return `${shortId(event.digest)} read, ${formatBytes(event.done)} of ${formatBytes(event.total)}`;
    case 'layer-done':
      return `${shortId(event.digest)} unpacked, ${event.entries} ${event.entries === 1 ? 'entry' : 'entries'}`;
    default:
      return undefined;
  }
}
