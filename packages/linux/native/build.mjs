// Compiles the native library into dist/native/. It speeds up processors of x64 alone, and nothing needs it: without a
// compiler this says so in one sentence and succeeds. With `--required`, for a package that is published, it does not.
import { spawnSync } from 'node:child_process';
import { mkdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const source = fileURLToPath(new URL('sha256-lanes.c', import.meta.url));
const output = fileURLToPath(new URL('../dist/native/', import.meta.url));
const library = `${output}sha256-lanes-x64.so`;
const isRequired = process.argv.includes('--required');

const flags = [
  ...['-std=gnu11', '-O2', '-g0', '-ffreestanding', '-nostdlib', '-shared', '-fPIC', '-fvisibility=hidden'],
  ...['-Wall', '-Wextra', '-Werror', '-Wshadow', '-Wconversion', '-fno-asynchronous-unwind-tables'],
  ...['-Wl,-z,relro', '-Wl,-z,now', '-Wl,-z,noexecstack', '-Wl,--build-id=none', '-s'],
];

function isUpToDate() {
  const made = statSync(library, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  return made >= Math.max(statSync(source).mtimeMs, statSync(fileURLToPath(import.meta.url)).mtimeMs);
}

/** Why it failed; undefined when it did not. */
function compile() {
  const compiler = process.env.CC || (process.arch === 'x64' ? 'cc' : 'x86_64-linux-gnu-gcc');
  mkdirSync(output, { recursive: true });
  const temporary = `${library}.${process.pid}`;
  const { status, error, stderr } = spawnSync(compiler, [...flags, '-o', temporary, source], {
    encoding: 'utf8',
  });
  if (error !== undefined) return `no C compiler (${compiler}) was found`;
  if (status !== 0) {
    rmSync(temporary, { force: true });
    return `the compiler failed\n${stderr.trimEnd()}`;
  }
  renameSync(temporary, library);
  return undefined;
}

const isOfUse = isRequired || (process.platform === 'linux' && process.arch === 'x64');
const failure = isOfUse && !isUpToDate() ? compile() : undefined;
if (failure !== undefined) {
  process.stderr.write(`blobs are hashed one after the other: ${failure}\n`);
  if (isRequired) process.exitCode = 1;
}
