import { type InstructionContext, refuse } from '../instructions/context.ts';
import { WordError } from '../words/error.ts';
import { type ExpandOptions, type Expansion, expandWord } from '../words/expand.ts';

/** Replaces the variables of a word; a mistake in it is refused at the instruction that holds it. */
export function expandAt(context: InstructionContext, word: string, options: ExpandOptions): Expansion {
  try {
    return expandWord(word, options);
  } catch (error) {
    if (error instanceof WordError) return refuse(context, error.message, { token: word });
    throw error;
  }
}
