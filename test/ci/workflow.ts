import { readFile, writeFile } from 'node:fs/promises';

/** One step of a workflow, as far as our example uses them: a script, or an action with its inputs. */
export interface Step {
  readonly id: string | undefined;
  readonly run: string | undefined;
  readonly uses: string | undefined;
  readonly with: Readonly<Record<string, string>>;
}

/** Reads the steps of a workflow or action. Only the YAML of our own two files is understood. */
export function parseSteps(text: string): readonly Step[] {
  const body = text.slice(text.indexOf('steps:\n') + 'steps:\n'.length);
  return body
    .split(/^ +- (?=\w+:)/m)
    .slice(1)
    .map((block) => {
      const own = `        ${block}`;
      const value = (key: string): string | undefined =>
        new RegExp(`^ *${key}: (?!\\|)(.+)$`, 'm').exec(own)?.[1];
      const script = /^ *run: \|\n((?: {10}.*\n?)+)/m.exec(own)?.[1]?.replaceAll(/^ {10}/gm, '');
      const inputs = /^ *with:\n((?: {10}.*\n?)+)/m.exec(own)?.[1] ?? '';
      const pairs = [...inputs.matchAll(/^ *([\w-]+): (.+)$/gm)].map(([, key = '', input = '']) => [
        key,
        input,
      ]);
      return {
        id: value('id'),
        run: script ?? value('run'),
        uses: value('uses'),
        with: Object.fromEntries(pairs),
      };
    });
}

/** Names below `inputs:` or `outputs:` of an action. */
export function declared(text: string, section: 'inputs' | 'outputs'): readonly string[] {
  const block = new RegExp(`^${section}:\\n((?: {2}.*\\n)+)`, 'm').exec(text)?.[1] ?? '';
  return [...block.matchAll(/^ {2}(\w+):/gm)].map(([, name = '']) => name);
}

/** Puts values into `\${{ … }}`. */
export function expand(text: string, values: Readonly<Record<string, string>>): string {
  return text.replaceAll(/\$\{\{ *([\w.-]+) *\}\}/g, (_, name: string) => {
    const value = values[name];
    if (value === undefined) throw new Error(`nothing is known of ${name}`);
    return value;
  });
}

/** What a step wrote into the file that GITHUB_OUTPUT names, which is then empty. */
export async function takeOutputs(file: string): Promise<Record<string, string>> {
  const lines = (await readFile(file, 'utf8')).split('\n').filter((line) => line.includes('='));
  await writeFile(file, '');
  return Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  );
}
