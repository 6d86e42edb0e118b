import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { launch } from '../index.ts';
import { busyboxBundle, cannotRunAsRoot } from '../testing/busybox-bundle.ts';

const sysResource = 1n << 24n;
const held = BigInt(`0x${/CapBnd:\t(\w+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? 0}`);
const skip =
  cannotRunAsRoot() || ((held & sysResource) === 0n ? 'needs CAP_SYS_RESOURCE: npm run test:vm' : false);

test('with CAP_SYS_RESOURCE, hard limits are raised, the score is lowered and all capabilities are given', {
  skip,
}, async () => {
  const last = Number(readFileSync('/proc/sys/kernel/cap_last_cap', 'utf8'));
  using bundle = busyboxBundle('ulimit -Hn; cat /proc/self/oom_score_adj; grep CapEff /proc/self/status');
  const all = ['CAP_SYS_RESOURCE', 'CAP_SYS_ADMIN', 'CAP_CHECKPOINT_RESTORE'];
  bundle.change((spec) => {
    spec.process.rlimits = [{ type: 'RLIMIT_NOFILE', soft: 1024, hard: 1_000_000 }];
    spec.process.oomScoreAdj = -500;
    spec.process.capabilities = { bounding: all, effective: all, permitted: all };
  });
  await using container = await launch(bundle.directory, { root: bundle.root, stdio: 'pipe' });
  const out = container.stdout ? await text(container.stdout) : '';
  await container.wait();
  const mask = [24, 21, 40].reduce((sum, number) => sum | (1n << BigInt(number)), 0n);
  assert.ok(last >= 40);
  assert.deepEqual(out.trim().split('\n'), [
    '1000000',
    '-500',
    `CapEff:\t${mask.toString(16).padStart(16, '0')}`,
  ]);
});
