import type { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { MAX_OUTPUT_LINE } from '../../limits.ts';

/** Tells each line of a stream when it is complete; a line that is too long comes in pieces. Resolves at the end. */
export async function readLines(stream: Readable, onLine: (line: string) => void): Promise<void> {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    rest += decoder.write(chunk);
    const lines = rest.split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) onLine(line.replace(/\r$/, ''));
    for (; rest.length > MAX_OUTPUT_LINE; rest = rest.slice(MAX_OUTPUT_LINE))
      onLine(rest.slice(0, MAX_OUTPUT_LINE));
  }
  rest += decoder.end();
  if (rest !== '') onLine(rest);
}
