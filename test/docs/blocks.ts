/** A block of commands in a page of Markdown. */
export interface Block {
  /** The first line of the block in its page. */
  readonly line: number;
  readonly text: string;
}

/** The blocks of a language in a page, in their order. */
export function blocksOf(page: string, language: 'sh' | 'js' | 'ts'): readonly Block[] {
  const lines = page.split('\n');
  const blocks: Block[] = [];
  for (let index = 0; index < lines.length; index++) {
    if (lines[index] !== `\`\`\`${language}`) continue;
    const end = lines.indexOf('```', index);
    blocks.push({ line: index + 2, text: lines.slice(index + 1, end).join('\n') });
    index = end;
  }
  return blocks;
}
