// `npm run fuzz:init [-- SECONDS]`: fuzzes the plan reader with libFuzzer (needs clang and its runtime), for a minute by
// default, from plans that our own compiler makes.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const [seconds = '60'] = process.argv.slice(2);
const source = fileURLToPath(new URL('./fuzz/', import.meta.url));
const flags = [
  '-std=gnu11',
  '-O1',
  '-g',
  '-ffreestanding',
  '-fsanitize=fuzzer,address,undefined',
  '-fno-sanitize-recover=all',
];

function run(command, args) {
  const { status, error } = spawnSync(command, args, { stdio: 'inherit' });
  if (error) process.stderr.write(`${command}: ${error.message}\n`);
  return status ?? 1;
}

const directory = mkdtempSync(join(tmpdir(), 'oci-fuzz-'));
try {
  const corpus = join(directory, 'corpus');
  mkdirSync(corpus);
  const program = join(directory, 'fuzz-plan');
  process.exitCode =
    run('clang', [...flags, '-Wno-unused-function', '-o', program, join(source, 'plan.c')]) ||
    run(process.execPath, ['--conditions=source', join(source, 'seeds.ts'), corpus]) ||
    run(program, [
      `-max_total_time=${seconds}`,
      '-max_len=65536',
      '-print_final_stats=1',
      `-artifact_prefix=${tmpdir()}/`,
      corpus,
    ]);
} finally {
  rmSync(directory, { recursive: true, force: true });
}
