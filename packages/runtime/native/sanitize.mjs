// `npm run sanitize:init [-- FILE...]`: builds the native init with a libc, AddressSanitizer and UndefinedBehaviorSanitizer, and runs the
// tests that use it in a copy of the sources. Any finding ends the init, and so fails the test.
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, globSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const source = fileURLToPath(new URL('./', import.meta.url));
const packageDirectory = fileURLToPath(new URL('../', import.meta.url));
const repository = fileURLToPath(new URL('../../../', import.meta.url));

const flags = [
  ...['-std=gnu11', '-O1', '-g', '-DOCI_HOSTED', '-ffreestanding', '-fno-builtin'],
  ...['-fsanitize=address,undefined', '-fno-sanitize-recover=all', '-Wall', '-Wextra', '-Werror'],
];

const suites = ['init', 'lifecycle', 'seccomp'].map((name) => `src/${name}/*.test.ts`);

// These are about how little the init is.
const leftOut = '512 KiB|dynamic linker|init itself|binar';

const directory = mkdtempSync(join(tmpdir(), 'oci-sanitize-'));
// An ordinary user runs some of it.
chmodSync(directory, 0o755);
try {
  const copy = join(directory, 'packages/runtime');
  cpSync(join(packageDirectory, 'src'), join(copy, 'src'), { recursive: true });
  cpSync(source, join(copy, 'native'), { recursive: true });
  cpSync(join(packageDirectory, 'package.json'), join(copy, 'package.json'));
  symlinkSync(join(repository, 'node_modules'), join(directory, 'node_modules'));
  const output = join(copy, 'dist/native');
  mkdirSync(output, { recursive: true });
  const program = join(output, `oci-init-${process.arch}`);
  const compiled = spawnSync(process.env.CC || 'cc', [...flags, '-o', program, join(source, 'init.c')], {
    stdio: 'inherit',
  });
  if (compiled.status !== 0) process.exit(1);
  const given = process.argv.slice(2);
  // The reaper is a program of its own, which runs in containers, where no sanitizer's libraries are.
  const all = globSync(suites, { cwd: copy }).filter((file) => !file.endsWith('reaper.test.ts'));
  const files = given.length > 0 ? given : all.sort();
  const { status } = spawnSync(
    process.execPath,
    [
      '--conditions=source',
      '--test',
      '--test-concurrency=2',
      `--test-skip-pattern=/${leftOut}/`,
      `--test-reporter=${join(repository, 'scripts/test-reporter.mjs')}`,
      ...files,
    ],
    { cwd: copy, stdio: 'inherit' },
  );
  process.exitCode = status ?? 1;
} finally {
  rmSync(directory, { recursive: true, force: true });
}
