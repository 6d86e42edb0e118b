import { WordError } from './error.ts';
import { expandWord } from './expand.ts';

/** The words of a line with quotes, escapes and variables as written; none when its quotes are open. */
export function splitRawWords(line: string): readonly string[] {
  try {
    return expandWord(line, {
      variables: new Map(),
      keepQuotes: true,
      keepEscapes: true,
      keepUnset: true,
    }).words;
  } catch (error) {
    // A shell command may have quotes that this grammar does not know.
    if (error instanceof WordError) return [];
    throw error;
  }
}
