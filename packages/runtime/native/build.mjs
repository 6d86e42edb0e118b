// Compiles the native programs into dist/native/. Without a compiler it says so in one sentence and succeeds, because
// everything but running containers works without it.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const source = fileURLToPath(new URL('./', import.meta.url));
const output = fileURLToPath(new URL('../dist/native/', import.meta.url));

/** The programs, each of one translation unit. */
const programs = [
  { name: 'oci-init', file: 'init.c', flags: [] },
  // What it does not need of kernel.h is no mistake.
  { name: 'oci-reaper', file: 'reaper.c', flags: ['-Wno-unused-function'] },
];

const common = [
  // Small rather than fast: each container reads it once, and none of it is repeated often.
  ...['-std=gnu11', '-Os', '-g0', '-ffreestanding', '-fno-builtin', '-nostdlib'],
  ...['-Wall', '-Wextra', '-Werror', '-Wshadow', '-Wconversion', '-Wformat=2'],
  // Loops that copy bytes must not become calls to the very functions that they implement.
  ...['-fno-tree-loop-distribute-patterns', '-fno-asynchronous-unwind-tables', '-fvisibility=hidden'],
  ...['-Wl,-z,relro', '-Wl,-z,now', '-Wl,-z,noexecstack', '-Wl,--build-id=none', '-s'],
];
const protections = [
  '-fstack-protector-strong',
  '-mstack-protector-guard=global',
  '-fstack-clash-protection',
];
const relocatable = ['-fPIE', '-static-pie'];
const fixed = ['-fno-pie', '-static', '-no-pie'];

// From the best to what every compiler has.
const variants = [
  [...common, ...protections, ...relocatable],
  [...common, ...protections, ...fixed],
  [...common, ...fixed],
  [...common.filter((flag) => !/^-W[^l]/.test(flag)), ...fixed],
];

function newest() {
  const files = readdirSync(source).filter((name) => /\.([ch]|mjs)$/.test(name));
  return Math.max(...files.map((name) => statSync(source + name).mtimeMs));
}

function isUpToDate(binary) {
  const time = statSync(binary, { throwIfNoEntry: false })?.mtimeMs;
  return time !== undefined && time >= newest();
}

function compile(compiler, flags, { target, file }) {
  return spawnSync(compiler, [...flags, '-o', target, `${source}${file}`], { encoding: 'utf8' });
}

function build({ name, file, flags: own }) {
  const binary = `${output}${name}-${process.arch}`;
  if (process.platform !== 'linux' || isUpToDate(binary)) return;
  mkdirSync(output, { recursive: true });
  const compiler = process.env.CC || 'cc';
  const temporary = `${binary}.${process.pid}`;
  let firstFailure = '';
  for (const flags of variants) {
    const result = compile(compiler, [...flags, ...own], { target: temporary, file });
    if (result.error) {
      process.stderr.write(
        `${name} was not built: no C compiler (${compiler}) was found, so containers cannot be run; everything else works.\n`,
      );
      return;
    }
    if (result.status === 0) {
      renameSync(temporary, binary);
      return;
    }
    firstFailure ||= result.stderr;
  }
  rmSync(temporary, { force: true });
  process.stderr.write(
    `${name} was not built, so containers cannot be run: the compiler failed.\n${firstFailure}`,
  );
}

programs.forEach(build);
