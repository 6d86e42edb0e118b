import { WordError } from '../words/error.ts';
import { expandWord } from '../words/expand.ts';
import { splitRawWords } from '../words/raw-words.ts';

/** A document within the Dockerfile, as its start announces it. */
export interface HeredocStart {
  readonly name: string;
  readonly fileDescriptor: number;
  /** Variables in it are replaced: the name was not quoted. */
  readonly expand: boolean;
  /** Tabs at the start of each line are not part of it (`<<-`). */
  readonly stripTabs: boolean;
}

export interface Heredoc extends HeredocStart {
  readonly content: string;
}

const announced = /^(\d*)<<(-?)([^<]*)$/s;
const nothing: ReadonlyMap<string, string> = new Map();

/** The heredoc that a word announces, or `undefined` for any other word. @throws WordError when its quotes are open. */
export function parseHeredoc(word: string): HeredocStart | undefined {
  const match = announced.exec(word);
  if (match === null) return undefined;
  const [, descriptor = '', dash = '', rest = ''] = match;
  if (rest === '') return undefined;
  const options = { variables: nothing, keepUnset: true };
  const [name, ...more] = expandWord(rest, options).words;
  const [written] = expandWord(rest, { ...options, keepQuotes: true, keepEscapes: true }).words;
  if (name === undefined || more.length > 0) return undefined;
  return {
    name,
    fileDescriptor: Number(descriptor),
    expand: name === written,
    stripTabs: dash === '-',
  };
}

/** The heredocs that a line announces, in order; what is quoted announces nothing. */
export function heredocsOf(line: string): readonly HeredocStart[] {
  return splitRawWords(line).flatMap((word) => {
    const heredoc = word.includes('<<') ? heredocOrNothing(word) : undefined;
    return heredoc === undefined ? [] : [heredoc];
  });
}

function heredocOrNothing(word: string): HeredocStart | undefined {
  try {
    return parseHeredoc(word);
  } catch (error) {
    // What follows the `<<` is no name: the shell may make sense of it.
    if (error instanceof WordError) return undefined;
    throw error;
  }
}
