import { commandGroups } from './groups.ts';

const margin = 2;
const gap = 3;

/** What `oci --help` prints: every command with its summary, by what a person wants to do. */
export function overview(
  summaries: Readonly<Record<string, string>>,
  { version, columns }: { readonly version: string; readonly columns: number },
): string {
  const longest = Math.max(...Object.keys(summaries).map(({ length }) => length));
  const indent = margin + longest + gap;
  const lines = commandGroups.flatMap(({ title, commands }) => [
    '',
    title,
    ...commands
      .filter((name) => name in summaries)
      .flatMap((name) =>
        wrap(summaries[name] ?? '', Math.max(columns - indent, 20)).map(
          (line, index) => `${' '.repeat(margin)}${(index === 0 ? name : '').padEnd(longest + gap)}${line}`,
        ),
      ),
  ]);
  return [
    `oci ${version}: pull, unpack, run and push OCI images, without a daemon`,
    '',
    'Usage: oci COMMAND [FLAGS] [ARGUMENTS]',
    ...lines,
    '',
    'oci COMMAND --help explains a command, with examples; oci doctor says what this machine can do.',
    '',
  ].join('\n');
}

function wrap(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const line = lines.at(-1);
    if (line === undefined || line.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = `${line} ${word}`;
  }
  return lines;
}
