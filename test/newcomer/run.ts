// `npm run newcomer`: plays somebody who has never seen this tool: first steps, typical mistakes, a host that does not help,
// Ctrl-C at any moment. Prints what was printed, with the exit code, to be read: no line should need explaining. With
// `--clone` it first does what the README says in a fresh clone, with `--docs` also every command of the documentation.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, readdir } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { openPlace } from '../docs/place.ts';
import { command } from '../kit/command.ts';
import { oci, ociHome, ociProgram } from '../kit/oci.ts';
import { temporaryDirectory } from '../kit/temporary.ts';
import { documented, type Printed } from './documented.ts';
import { mistakes } from './mistakes.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const problems: string[] = [];

function report(line: string, { status, text }: Printed): void {
  const shown = text.trimEnd().split('\n');
  const cut = shown.length > 14 ? [...shown.slice(0, 12), `… ${shown.length - 12} more lines`] : shown;
  process.stdout.write(
    `\n$ ${line}\n${cut.map((each) => `  ${each}`).join('\n')}${status === null ? '' : `\n  [exit ${status}]`}\n`,
  );
  for (const wrong of complaints(text)) problems.push(`${line}: ${wrong}`);
}

/** What no message may have. */
function complaints(text: string): readonly string[] {
  const signs: readonly (readonly [RegExp, string])[] = [
    [/^\s+at .*:\d+:\d+/m, 'a stack trace'],
    [/ERR_OCI_INTERNAL|undefined|\[object Object\]/, 'an inner error'],
    [/^error: [A-Z][a-z]+Error/m, 'the name of a class'],
  ];
  return signs.filter(([sign]) => sign.test(text)).map(([, what]) => what);
}

await using temporary = await temporaryDirectory();
if (process.argv.includes('--clone')) await freshClone();
// Some of it is typed by another user.
await chmod(temporary.path, 0o755);
if (process.argv.includes('--docs'))
  await documented({ directory: `${temporary.path}/docs`, report, problems });
await using place = await openPlace(`${temporary.path}/place`);
for (const { line, status: expected } of mistakes) {
  const { status, stdout, stderr } = await place.run(line, { hasTerminal: false });
  report(line, { status, text: stdout + stderr });
  if (status !== expected) problems.push(`${line}: ended with ${status}, and should with ${expected}`);
}
await interruptions();
process.stdout.write(`\n${mistakes.length} command lines; ${problems.length} problems\n`);
for (const problem of problems) process.stdout.write(`  ${problem}\n`);
process.exitCode = problems.length === 0 ? 0 : 1;

async function freshClone(): Promise<void> {
  const directory = `${temporary.path}/clone`;
  for (const line of [`git clone --quiet ${root} ${directory}`, 'npm ci', 'npm run demo', 'npx oci --help']) {
    const cwd = line.startsWith('git') ? temporary.path : directory;
    const { status, stdout, stderr } = await command('sh', ['-c', line], { cwd, timeoutMs: 900_000 });
    report(line, { status, text: stdout + stderr });
    if (status !== 0) problems.push(`${line}: ended with ${status}`);
  }
}

/** Ctrl-C at moments that nobody chose: the exit code says so, nothing is left behind, and the next attempt works. */
async function interruptions(): Promise<void> {
  const directory = `${temporary.path}/interrupted`;
  const home = ociHome(directory);
  const env = { ...process.env, OCI_STORE: home.store, OCI_ROOT: home.root };
  const codes = new Map<string, number>();
  const image = `oci:${temporary.path}/place/registry:library/debian:bookworm`;
  const unpack = (target: string) =>
    spawn(process.execPath, [ociProgram, 'unpack', image, target], { env, stdio: 'ignore' });
  const started = performance.now();
  await once(unpack(`${directory}-whole`), 'close');
  const whole = performance.now() - started;
  for (let round = 0; round < 12; round++) {
    const target = `${directory}-bundle-${round}`;
    const child = unpack(target);
    const ended = once(child, 'close');
    await delay(whole * (0.1 + 0.9 * Math.random()));
    child.kill('SIGINT');
    const [code, signal] = await ended;
    const name = String(code ?? signal);
    codes.set(name, (codes.get(name) ?? 0) + 1);
    if (!['0', '130', 'SIGINT'].includes(name)) problems.push(`Ctrl-C: ended with ${name}`);
    const left: readonly string[] = await readdir(target).catch(() => []);
    // It appears whole; a signal that comes behind that changes the exit code alone.
    const isWhole = ['config.json', 'oci.json', 'rootfs'].every((name) => left.includes(name));
    if (code !== 0 && left.length > 0 && !isWhole) problems.push(`Ctrl-C: left ${left.join(', ')}`);
  }
  const counts = [...codes].map(([code, count]) => `${count} times ${code}`).join(', ');
  process.stdout.write(`\nCtrl-C at a random moment of an unpack: ${counts}\n`);
  const { status, stderr } = await oci(home, ['fsck'], { env });
  if (status !== 0) problems.push(`fsck after Ctrl-C: ${stderr}`);
}
