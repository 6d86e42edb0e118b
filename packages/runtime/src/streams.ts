import type { StdioOption } from './init/index.ts';

/** Where stdin, stdout and stderr go. */
export type Streams = readonly [StdioOption, StdioOption, StdioOption];

/** One answer for all standard streams, or one for each. */
export type StdioChoice = 'inherit' | 'pipe' | 'ignore' | Streams;

/** The choice for each stream; all inherited by default. */
export function streamsOf(stdio: StdioChoice = 'inherit'): Streams {
  return typeof stdio === 'string' ? [stdio, stdio, stdio] : stdio;
}
