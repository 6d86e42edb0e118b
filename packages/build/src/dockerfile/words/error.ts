/** What is wrong with a word; whoever knows where the word stands makes an error for a person of it. */
export class WordError extends Error {
  /** UTF-16 units from the start of the word. */
  readonly offset: number;

  constructor(message: string, offset: number) {
    super(message);
    this.name = 'WordError';
    this.offset = offset;
  }
}
