/** Reads a word character by character (code points); `peek` and `next` give `undefined` at the end. */
export interface CharacterScanner {
  peek(): string | undefined;
  next(): string | undefined;
  /** How many UTF-16 units have been read. */
  offset(): number;
}

export function createCharacterScanner(text: string): CharacterScanner {
  let offset = 0;
  const peek = (): string | undefined => {
    const point = text.codePointAt(offset);
    return point === undefined ? undefined : String.fromCodePoint(point);
  };
  return {
    peek,
    next() {
      const character = peek();
      offset += character?.length ?? 0;
      return character;
    },
    offset: () => offset,
  };
}
