const hidden = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/**
 * Text from an image as it is shown: what is invisible, moves a cursor or turns the direction of writing becomes an
 * escape, as do bytes that are not UTF-8. Nothing else changes, so that no two names look the same for this.
 */
export function shownText(text: string): string {
  // `replace` begins at the start whatever `lastIndex` is.
  return text.replace(hidden, (character) => {
    const code = character.codePointAt(0) ?? 0;
    if (character === '\n') return '\\n';
    if (character === '\t') return '\\t';
    if (code >= 0xdc80 && code <= 0xdcff) return `\\x${(code - 0xdc00).toString(16)}`;
    return code > 0xffff ? `\\u{${code.toString(16)}}` : `\\u${code.toString(16).padStart(4, '0')}`;
  });
}
