import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { defaultSpec } from '@ocijs/bundle/spec';
import { withSeccomp } from './seccomp.ts';

const plain = { privileged: false };

test('containers get the default profile for their capabilities', async () => {
  const { linux } = await withSeccomp(defaultSpec(), plain);
  assert.equal(linux?.seccomp?.defaultAction, 'SCMP_ACT_ERRNO');
  const names = linux?.seccomp?.syscalls?.flatMap((rule) => rule.names) ?? [];
  assert.ok(names.includes('read'));
  assert.ok(!names.includes('mount'));
});

test('privileged and unconfined containers get none', async () => {
  assert.equal((await withSeccomp(defaultSpec(), { privileged: true })).linux?.seccomp, undefined);
  const unconfined = { ...plain, 'security-opt': ['seccomp=unconfined'] };
  assert.equal((await withSeccomp(defaultSpec(), unconfined)).linux?.seccomp, undefined);
});

test('a profile that was asked for is used, also with --privileged', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'oci-seccomp-'));
  try {
    const path = join(directory, 'profile.json');
    const rule = { names: ['mkdir'], action: 'SCMP_ACT_ERRNO' };
    writeFileSync(path, JSON.stringify({ defaultAction: 'SCMP_ACT_ALLOW', syscalls: [rule] }));
    const flags = { privileged: true, 'security-opt': [`seccomp=${path}`] };
    const { linux } = await withSeccomp(defaultSpec(), flags);
    assert.deepEqual(linux?.seccomp, { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [rule] });
    writeFileSync(path, '{"defaultAction":"SCMP_ACT_SOMETIMES"}');
    await assert.rejects(withSeccomp(defaultSpec(), flags), { code: 'ERR_OCI_SPEC_INVALID' });
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test('a profile that is not there is a usage error', async () => {
  const flags = { ...plain, 'security-opt': ['seccomp=/no/such/profile.json'] };
  await assert.rejects(withSeccomp(defaultSpec(), flags), { code: 'ERR_OCI_USAGE' });
});
