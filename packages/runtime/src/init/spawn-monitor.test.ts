import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { readProcessStat } from '../process/stat.ts';
import { makeBundle, runScript, skipReason } from './testing/bundle.ts';

/** Children of this process that have ended and that nobody has waited for. */
function zombies(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => readProcessStat(Number(name)))
    .filter((stat) => stat?.parent === process.pid && stat.state === 'Z')
    .map((stat) => stat?.pid ?? 0);
}

test('the first monitor and later ones give the container the same, and are waited for', {
  skip: skipReason(),
}, async () => {
  using bundle = makeBundle();
  const script =
    'cat; ls -l /proc/self/fd | sed "s/.* //"; grep -E "^Sig(Blk|Ign):" /proc/self/status; exit 7';
  const outcomes = [];
  for (let count = 0; count < 3; count += 1) outcomes.push(await runScript(bundle, script));
  const [first, ...others] = outcomes;
  const normal = (text: string | undefined): string =>
    (text ?? '').replace(/(pipe|fd|\/proc\/)[:\d[\]/]*/g, '$1');
  assert.equal(first?.exitCode, 7);
  for (const other of others) {
    assert.deepEqual({ ...other, stdout: normal(other.stdout) }, { ...first, stdout: normal(first?.stdout) });
  }
  assert.deepEqual(zombies(), []);
});

test('the standard streams of a later monitor are those that it was given', {
  skip: skipReason(),
}, async () => {
  using bundle = makeBundle();
  await runScript(bundle, 'true');
  const { stdout, exitCode } = await runScript(bundle, 'echo out; echo err >&2', {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  assert.deepEqual([stdout, exitCode], ['out\n', 0]);
  await assert.rejects(runScript(bundle, 'true', { rootfs: '/nonexistent' }), {
    code: 'ERR_OCI_INIT_FAILED',
  });
  assert.deepEqual(zombies(), []);
});
