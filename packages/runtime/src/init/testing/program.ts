import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';

/** How {@link runProgram} starts its process. */
export interface ProgramOptions {
  /** What the program finds as `input`. */
  readonly input: Readonly<Record<string, unknown>>;
  /** A command that executes what follows it, such as `unshare --mount`. */
  readonly within?: readonly string[];
  /** The user and group that it runs as. */
  readonly id?: number;
}

/**
 * Runs a module in a process of its own. It finds `input`, and `runScript` and `makeSpec` of the tests; what it gives to `done`
 * is returned.
 */
export async function runProgram(program: string, options: ProgramOptions): Promise<unknown> {
  const { input, within = [], id } = options;
  const code = `
    import { makeSpec, runScript } from ${JSON.stringify(new URL('./bundle.ts', import.meta.url).href)};
    const input = JSON.parse(process.env.INPUT);
    const done = (value) => console.log(JSON.stringify(value));
    ${program}`;
  const [command, ...argv] = [
    ...within,
    process.execPath,
    '--conditions=source',
    '--input-type=module',
    '-e',
    code,
  ];
  const child = spawn(command as string, argv, {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { PATH: process.env['PATH'], INPUT: JSON.stringify(input) },
    ...(id !== undefined && { uid: id, gid: id }),
  });
  return JSON.parse(await text(child.stdout));
}

/** Runs what follows in a mount namespace whose mounts nobody else sees, after a shell script. */
export function apart(script: string): string[] {
  return ['unshare', '--mount', '--propagation', 'private', 'sh', '-ec', `${script}\nexec "$@"`, 'sh'];
}
