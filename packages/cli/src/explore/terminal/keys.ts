/** What a terminal sends for keys that are no characters. */
const sequences: Readonly<Record<string, string>> = {
  '\u001b[A': 'up',
  '\u001b[B': 'down',
  '\u001b[C': 'right',
  '\u001b[D': 'left',
  '\u001bOA': 'up',
  '\u001bOB': 'down',
  '\u001bOC': 'right',
  '\u001bOD': 'left',
  '\u001b[H': 'home',
  '\u001b[F': 'end',
  '\u001bOH': 'home',
  '\u001bOF': 'end',
  '\u001b[1~': 'home',
  '\u001b[4~': 'end',
  '\u001b[5~': 'page-up',
  '\u001b[6~': 'page-down',
  '\u001b[Z': 'shift-tab',
  '\u001b': 'escape',
  '\r': 'enter',
  '\n': 'enter',
  '\t': 'tab',
  '\u007f': 'backspace',
  '\b': 'backspace',
  '\u0003': 'ctrl-c',
  '\u0004': 'ctrl-d',
  '\u000c': 'ctrl-l',
  '\u001a': 'ctrl-z',
};

const start = '\u001b';
const token = new RegExp(`${start}(?:\\[[0-9;]*[A-Za-z~]|O[A-Z])?|[^]`, 'gu');

/** The keys of what came from a terminal: names for special ones, else the character itself. Unknown sequences are left out. */
export function keysOf(input: string): string[] {
  return (input.match(token) ?? []).flatMap((part) => {
    const name = sequences[part];
    if (name !== undefined) return [name];
    return part.startsWith('\u001b') || /^\p{Cc}$/u.test(part) ? [] : [part];
  });
}
