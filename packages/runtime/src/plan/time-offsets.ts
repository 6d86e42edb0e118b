import type { Linux } from '@ocijs/bundle/spec';

/** What /proc/PID/timens_offsets takes, one clock a line. */
export function timeOffsetsText(offsets: Linux['timeOffsets']): string {
  return Object.entries(offsets ?? {})
    .map(([clock, { secs = 0, nanosecs = 0 }]) => `${clock} ${secs} ${nanosecs}\n`)
    .join('');
}
