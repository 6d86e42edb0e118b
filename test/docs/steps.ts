import { type NotRun, notRun } from './not-run.ts';
import type { Answers } from './place.ts';

/** One thing that a reader does with a block of commands. */
export type Step =
  | { readonly kind: 'run'; readonly text: string }
  /** Goes on until somebody ends it. */
  | { readonly kind: 'type'; readonly text: string; readonly answers: Answers }
  | { readonly kind: 'skip'; readonly text: string; readonly reason: string };

const ctrlC = '\u0003';
/** Commands that go on or ask something: what they print, and the keys that are then pressed, one after the other. */
const asking: readonly (readonly [RegExp, Answers])[] = [
  [/^oci serve\b/, [[/listening on http/, ctrlC]]],
  [/^oci explore (?!.*--(export|json|tty))/, [[/http:\/\/127/, ctrlC]]],
  [/^oci explore .*--tty/, [[/q quit/, 'q']]],
  [/^oci stats\b(?!.*--(no-stream|json))/, [[/CONTAINER ID/, ctrlC]]],
  [
    /^oci login \S+$/,
    [
      [/Username: $/, 'ann\r'],
      [/Password: $/, 'secret\r'],
    ],
  ],
];

/** A block as steps: what goes on by itself is typed alone, the lines between in one shell. */
export function stepsOf(page: string, text: string): readonly Step[] {
  const steps: Step[] = [];
  for (const line of commandLines(text)) {
    const left = notRun.find((each) => isMeant(each, page, line));
    const answers = asking.find(([pattern]) => pattern.test(line) && !/&\s*(#.*)?$/.test(line))?.[1];
    const last = steps.at(-1);
    if (left !== undefined) steps.push({ kind: 'skip', text: line, reason: left.reason });
    else if (answers !== undefined) steps.push({ kind: 'type', text: line, answers });
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
