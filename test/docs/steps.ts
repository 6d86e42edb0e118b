import { type NotRun, notRun } from './not-run.ts';

/** One thing that a reader does with a block of commands. */
export type Step =
  | { readonly kind: 'run'; readonly text: string }
  /** Goes on until somebody ends it. */
  | { readonly kind: 'type'; readonly text: string; readonly ready: RegExp; readonly keys: string }
  | { readonly kind: 'skip'; readonly text: string; readonly reason: string };

const ctrlC = '\u0003';
/** Commands that go on: what tells that they work, and the keys that end them. */
const goingOn: readonly (readonly [RegExp, { readonly ready: RegExp; readonly keys: string }])[] = [
  [/^oci serve\b/, { ready: /listening on http/, keys: ctrlC }],
  [/^oci explore (?!.*--(export|json|tty))/, { ready: /http:\/\/127/, keys: ctrlC }],
  [/^oci explore .*--tty/, { ready: /q quit/, keys: 'q' }],
  [/^oci stats\b(?!.*--(no-stream|json))/, { ready: /CONTAINER ID/, keys: ctrlC }],
];

/** A block as steps: what goes on by itself is typed alone, the lines between in one shell. */
export function stepsOf(page: string, text: string): readonly Step[] {
  const steps: Step[] = [];
  for (const line of commandLines(text)) {
    const left = notRun.find((each) => isMeant(each, page, line));
    const going = goingOn.find(([pattern]) => pattern.test(line) && !/&\s*(#.*)?$/.test(line))?.[1];
    const last = steps.at(-1);
    if (left !== undefined) steps.push({ kind: 'skip', text: line, reason: left.reason });
    else if (going !== undefined) steps.push({ kind: 'type', text: line, ...going });
    else if (last?.kind === 'run') steps[steps.length - 1] = { kind: 'run', text: `${last.text}\n${line}` };
    else steps.push({ kind: 'run', text: line });
  }
  return steps;
}

function isMeant({ page, line }: NotRun, where: string, text: string): boolean {
  return (page === undefined || page === where) && line.test(text);
}

/** Lines with those that a backslash or a heredoc joins to them. */
export function commandLines(text: string): readonly string[] {
  const lines: string[] = [];
  let end: string | undefined;
  for (const line of text.split('\n')) {
    const last = lines.at(-1);
    if (last !== undefined && (end !== undefined || last.endsWith('\\'))) {
      lines[lines.length - 1] = `${last}\n${line}`;
      if (line === end) end = undefined;
    } else if (line.trim() !== '') {
      lines.push(line);
      end = /<<'?(\w+)'?$/.exec(line)?.[1];
    }
  }
  return lines;
}
