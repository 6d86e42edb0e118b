import type { OciEvent } from '@ocijs/image';
import { formatBytes } from './bytes.ts';
import { formatSpeed, noteOf } from './pace.ts';
import type { ProgressStream } from './progress.ts';
import { printable, shortId } from './text.ts';

/** Lines at the end of a terminal, one per blob or layer under way, redrawn in place. */
export interface Bars {
  /** Takes an event into account; drawn with the next frame. */
  show(event: OciEvent): void;
  /** Prints a line above the bars. */
  print(line: string): void;
  /** Draws the last frame and stops. */
  finish(): void;
}

interface Bar {
  readonly label: string;
  readonly verb: string;
  readonly total: number;
  done: number;
  /** Said behind the bytes: speed and remaining time. */
  note?: string;
  /** Set when the step is over: what to say instead of the bar. */
  outcome?: string;
}

const frameMs = 100;

/** Draws at most ten frames a second. A finished bar is printed once and scrolls away like any other line. */
export function createBars(stream: ProgressStream): Bars {
  const bars = new Map<string, Bar>();
  let drawnLines = 0;
  let timer: NodeJS.Timeout | undefined;

  function draw(extraLines: readonly string[] = []): void {
    const over: string[] = [];
    for (const [key, bar] of bars) {
      if (bar.outcome === undefined) continue;
      over.push(formatBar(bar, stream.columns));
      bars.delete(key);
    }
    const live = [...bars.values()].map((bar) => formatBar(bar, stream.columns));
    const erase = drawnLines > 0 ? `\u001b[${drawnLines}A\u001b[0J` : '';
    const lines = [...extraLines, ...over, ...live];
    if (erase === '' && lines.length === 0) return;
    stream.write(erase + lines.map((line) => `${line}\n`).join(''));
    drawnLines = live.length;
  }

  function schedule(): void {
    timer ??= setTimeout(() => {
      timer = undefined;
      draw();
    }, frameMs);
  }

  return {
    show(event) {
      const changed = applyEvent(bars, event);
      if (typeof changed === 'string') draw([changed]);
      else if (changed) schedule();
    },
    print: (line) => draw([line]),
    finish() {
      clearTimeout(timer);
      timer = undefined;
      draw();
      drawnLines = 0;
    },
  };
}

/** Updates the bars; true when something changed, a string when it is a line of its own. */
function applyEvent(bars: Map<string, Bar>, event: OciEvent): boolean | string {
  switch (event.type) {
    case 'resolve':
      return `${printable(event.reference)} is ${event.digest}`;
    case 'retry':
      return `retry ${event.attempt} in ${Math.round(event.delayMs)} ms: ${printable(event.reason)}`;
    case 'blob-start':
      bars.set(`blob ${event.digest}`, newBar('pulling', event));
      return true;
    case 'blob-progress':
      return advance(bars, { key: `blob ${event.digest}`, done: event.done });
    case 'blob-done': {
      const bar = bars.get(`blob ${event.digest}`) ?? newBar('pulling', { ...event, done: event.total });
      bars.set(`blob ${event.digest}`, { ...bar, done: event.total, outcome: event.status });
      return true;
    }
    case 'transfer-progress': {
      if (event.done >= event.total) return bars.delete('transfer');
      // Set anew, so that the sum stays below the blobs.
      bars.delete('transfer');
      const { direction, total, done } = event;
      const verb = direction === 'pull' ? 'pulling' : 'pushing';
      bars.set('transfer', { label: 'total'.padEnd(12), verb, total, done, note: formatSpeed(event) });
      return true;
    }
    case 'slow-down':
    case 'rate-limit':
      return noteOf(event) ?? false;
    case 'layer-progress': {
      const key = `layer ${event.index}`;
      if (!bars.has(key)) bars.set(key, newBar('unpacking', event));
      return advance(bars, { key, done: event.done });
    }
    case 'layer-read': {
      bars.set('reading', { ...newBar('reading', event), label: 'layers'.padEnd(12) });
      return event.done < event.total || bars.delete('reading');
    }
    case 'layer-done': {
      const key = `layer ${event.index}`;
      const bar = bars.get(key) ?? newBar('unpacking', { digest: event.digest, total: 0, done: 0 });
      bars.set(key, { ...bar, done: bar.total, outcome: `unpacked ${event.entries} entries` });
      return true;
    }
    default:
      return false;
  }
}

function newBar(
  verb: string,
  event: { readonly digest: string; readonly total: number; readonly done: number },
): Bar {
  return { label: shortId(event.digest), verb, total: event.total, done: event.done };
}

function advance(
  bars: ReadonlyMap<string, Bar>,
  { key, done }: { readonly key: string; readonly done: number },
): boolean {
  const bar = bars.get(key);
  if (bar === undefined) return false;
  bar.done = done;
  return true;
}

function formatBar({ label, verb, total, done, note, outcome }: Bar, columns = 80): string {
  const size = total > 0 ? formatBytes(total) : '';
  if (outcome !== undefined) return `${label}  ${outcome.padEnd(9)} ${size}`.trimEnd().slice(0, columns);
  const room = Math.max(10, Math.min(40, columns - 50 - (note === undefined ? 0 : note.length + 1)));
  const filled = total > 0 ? Math.min(room, Math.floor((done / total) * room)) : 0;
  const bar = `${'='.repeat(filled)}${filled < room ? '>' : ''}`.padEnd(room).slice(0, room);
  return `${label}  ${verb.padEnd(9)} [${bar}] ${formatBytes(done)}/${size}${note === undefined ? '' : ` ${note}`}`.slice(
    0,
    Math.max(columns - 1, 10),
  );
}
