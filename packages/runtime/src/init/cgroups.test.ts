import assert from 'node:assert/strict';
import { mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import type { RuntimeSpec } from '@ocijs/bundle/spec';
import { findHierarchies } from '../cgroup/hierarchies.ts';
import type { CgroupEntry } from '../plan/input.ts';
import { makeBundle, makeSpec, runScript, skipReason } from './testing/bundle.ts';
import { makeCgroup } from './testing/cgroup.ts';

const hierarchies = skipReason() === undefined ? findHierarchies() : [];
const memory = hierarchies.find(({ controllers }) => controllers.includes('memory'));
const unified = hierarchies.find(({ version }) => version === 'v2');
const skip =
  skipReason() ?? (memory && unified ? undefined : 'needs cgroup v2 beside a memory controller of cgroup v1');
const name = `oci-enter-test-${process.pid}`;

/** The groups that a container's process sees itself in, and how many descriptors it has. */
async function groupsSeen(cgroups: readonly CgroupEntry[], spec?: RuntimeSpec): Promise<string[]> {
  using bundle = makeBundle();
  const script = 'cat /proc/self/cgroup; ls /proc/self/fd | wc -l';
  const { stdout, stderr } = await runScript(bundle, script, { cgroups, ...(spec && { spec }) });
  assert.equal(stderr, '');
  const lines = stdout.trim().split('\n');
  // The three standard ones, and that of ls.
  assert.equal(lines.pop(), '4');
  return lines.filter((line) => line.endsWith(`/${name}`)).map((line) => line.split(':')[1] ?? '');
}

test('a process enters its groups by itself, or is put there', { skip }, async (t) => {
  await using v1 = makeCgroup(memory?.mountPoint, name);
  await using v2 = makeCgroup(unified?.mountPoint, name);
  const procs = { v1: `${v1.path}/cgroup.procs`, v2: `${v2.path}/cgroup.procs` };
  const expected = [memory?.controllers.join(',') ?? '', ''];
  const linux = makeSpec().linux ?? {};

  await t.test('through both doors', async () => {
    const entries = [
      { procs: procs.v1, version: 'v1' },
      { procs: procs.v2, version: 'v2' },
    ] as const;
    assert.deepEqual(await groupsSeen(entries), expected);
    const namespaces = [...(linux.namespaces ?? []), { type: 'user' as const }];
    const range = [{ containerID: 0, hostID: 0, size: 65_536 }];
    const withUsers = makeSpec({ linux: { ...linux, namespaces, uidMappings: range, gidMappings: range } });
    assert.deepEqual(await groupsSeen(entries, withUsers), expected, 'in a user namespace');
    const joining = namespaces.flatMap((namespace) => {
      if (namespace.type === 'user') return [];
      return namespace.type === 'uts' ? [{ ...namespace, path: '/proc/self/ns/uts' }] : [namespace];
    });
    const { hostname: _, ...joined } = makeSpec({ linux: { ...linux, namespaces: joining } });
    assert.deepEqual(await groupsSeen(entries, joined), expected, 'with a namespace that is joined');
  });

  await t.test('where neither door opens', async () => {
    const entries = [
      { procs: procs.v1, version: 'v2' },
      { procs: procs.v2, version: 'v1' },
    ] as const;
    assert.deepEqual(await groupsSeen(entries), expected);
    const plain = [{ procs: procs.v1 }, { procs: procs.v2 }];
    assert.deepEqual(await groupsSeen(plain), expected);
  });

  await t.test('the monitor tries, and says why, where the kernel lets nothing be born', async () => {
    // Below a threaded group, a group takes no processes before it is threaded as well.
    const deep = `${v2.path}/below/deep`;
    mkdirSync(deep, { recursive: true });
    try {
      writeFileSync(`${v2.path}/below/cgroup.type`, 'threaded');
      const entries = [{ procs: `${deep}/cgroup.procs`, version: 'v2' }] as const;
      await assert.rejects(groupsSeen(entries), {
        code: 'ERR_OCI_INIT_FAILED',
        message: /cannot join the cgroup ".*deep\/cgroup.procs": operation not supported/i,
      });
    } finally {
      rmdirSync(deep);
      rmdirSync(`${v2.path}/below`);
    }
  });
});
