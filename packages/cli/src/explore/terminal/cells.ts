/** How many columns a character takes on a terminal: none for marks that stand on others, two for wide ones. */
export function cellWidth(character: string): number {
  if (/^[\x20-\x7e]/.test(character)) return 1;
  if (/^[\p{Mn}\p{Me}]/u.test(character)) return 0;
  return wide.test(character) ? 2 : 1;
}

const wide =
  /^[\p{Script=Han}\p{Script=Hangul}\p{Script=Hiragana}\p{Script=Katakana}\p{Emoji_Presentation}\u3000-\u303f\uff01-\uff60\uffe0-\uffe6]/u;

/** The columns of a text without control characters. */
export function textWidth(text: string): number {
  let width = 0;
  for (const character of text) width += cellWidth(character);
  return width;
}

/** Cuts a text to some columns, with an ellipsis where something is missing, and fills it up with spaces. */
export function fit(text: string, columns: number): string {
  if (columns <= 0) return '';
  const width = textWidth(text);
  if (width <= columns) return text + ' '.repeat(columns - width);
  let cut = '';
  let used = 0;
  for (const character of text) {
    const next = cellWidth(character);
    if (used + next > columns - 1) break;
    cut += character;
    used += next;
  }
  return `${cut}…${' '.repeat(columns - 1 - used)}`;
}

/** The same, against the right edge. */
export function fitRight(text: string, columns: number): string {
  const width = textWidth(text);
  return width <= columns ? ' '.repeat(columns - width) + text : fit(text, columns);
}
