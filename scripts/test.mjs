// `npm test`: system packages, build, lint, types, then every test. Extra arguments go to the test runner.
import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

step('system packages', 'sh', ['scripts/install-test-packages.sh']);
step('build', 'npm', ['run', '--silent', 'build']);
step('lint', 'npm', ['run', '--silent', 'lint']);
step('types', 'npm', ['run', '--silent', 'typecheck']);
const files = globSync(['packages/*/src/**/*.test.ts', 'test/**/*.test.ts'], {
  cwd: root,
  exclude: (name) => name === 'dist' || name === 'node_modules',
}).sort();
step('tests', process.execPath, [
  '--conditions=source',
  '--test',
  // A third one at a time takes as long: 21 min both, on two cores.
  '--test-concurrency=2',
  // No test takes a tenth of that: one that waits for ever ends, and says where.
  '--test-timeout=900000',
  '--test-reporter=./scripts/test-reporter.mjs',
  '--test-reporter-destination=stdout',
  ...process.argv.slice(2),
  ...files,
]);

function step(name, command, args) {
  console.log(`\n── ${name}`);
  const started = performance.now();
  const { status, error } = spawnSync(command, args, {
    cwd: root,
    stdio: 'inherit',
    env: {
      ...process.env,
      TURBO_TELEMETRY_DISABLED: '1',
      TURBO_NO_UPDATE_NOTIFIER: '1',
      // Test files, and the threads that they start, are programs of their own: half of their start is compiling the sources.
      NODE_COMPILE_CACHE: `${root}node_modules/.cache/compiled`,
    },
  });
  if (status !== 0) {
    console.error(`${name} failed${error ? `: ${error.message}` : ''}`);
    process.exit(status ?? 1);
  }
  console.log(`── ${name}: ${((performance.now() - started) / 1000).toFixed(1)} s`);
}
