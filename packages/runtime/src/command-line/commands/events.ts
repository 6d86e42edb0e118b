import { type EventsOptions, events } from '../../lifecycle/events.ts';
import { stats } from '../../lifecycle/stats.ts';
import { textFlag, usageError } from '../arguments.ts';
import type { Command } from '../command.ts';
import { stringifyExact } from '../json.ts';
import { containerId } from './create-flags.ts';

const milliseconds: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

/** A duration as programs in Go read it: `1.5s`, `1m30s`. */
function parseDuration(text: string): number {
  const parts = [...text.matchAll(/(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)/g)];
  const isWhole = parts.map(([part]) => part).join('') === text && parts.length > 0;
  const sum = parts.reduce(
    (total, [, number, unit]) => total + Number(number) * (milliseconds[unit ?? ''] ?? 0),
    0,
  );
  if (isWhole && sum > 0) return Math.max(1, sum);
  if (isWhole || text === '0') throw usageError('duration interval must be greater than 0');
  throw usageError(`invalid value ${JSON.stringify(text)} for flag -interval: parse error`);
}

/** `oci-runtime events` */
export const command: Command = {
  usage: 'events [flags] ID',
  flags: {
    interval: { takes: 'text', about: 'the time between two measurements; 5s by default' },
    stats: { takes: 'nothing', about: 'measure once' },
  },
  words: [1, 1],
  run: async (context) => {
    const { parsed, root, signal, print } = context;
    const id = containerId(context);
    const options: EventsOptions = {
      root,
      signal,
      interval: parseDuration(textFlag(parsed, 'interval') ?? '5s'),
    };
    if (parsed.flags.has('stats')) {
      print(`${stringifyExact({ type: 'stats', id, data: stats(id, options) })}\n`);
      return 0;
    }
    for await (const event of events(id, options)) print(`${stringifyExact(event)}\n`);
    return 0;
  },
};
