/** Collects words: what came from quotes and escapes never splits, what was written plainly or came from a variable does. */
export interface WordCollector {
  /** Text in which white space separates words. */
  add(text: string): void;
  /** Text that belongs to the current word as it is. */
  addWhole(text: string): void;
  /** The words; empty ones do not count. */
  words(): string[];
}

export function createWordCollector(): WordCollector {
  const words: string[] = [];
  let word = '';
  const finish = (): void => {
    if (word !== '') words.push(word);
    word = '';
  };
  return {
    add(text) {
      for (const character of text) {
        if (/\s/u.test(character)) finish();
        else word += character;
      }
    },
    addWhole(text) {
      word += text;
    },
    words() {
      finish();
      return words;
    },
  };
}
