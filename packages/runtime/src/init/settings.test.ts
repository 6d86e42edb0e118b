import assert from 'node:assert/strict';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { releaseInit, startInit } from './index.ts';
import { makeBundle, makeSpec, runScript, skipReason, startOptions } from './testing/bundle.ts';

const skip = skipReason();

test('scheduling, I/O priority, personality and memory policy are those of the process', {
  skip,
}, async () => {
  using bundle = makeBundle();
  const spec = makeSpec({
    process: {
      scheduler: { policy: 'SCHED_BATCH', nice: 5 },
      ioPriority: { class: 'IOPRIO_CLASS_BE', priority: 6 },
    },
    linux: { personality: { domain: 'LINUX32' }, memoryPolicy: { mode: 'MPOL_INTERLEAVE', nodes: '0' } },
  });
  const script =
    'cat /proc/self/stat; ionice -p $$; uname -m; grep interleave /proc/self/numa_maps | head -n 1';
  const { stdout } = await runScript(bundle, script, { spec });
  const [stat = '', io, machine, memory] = stdout.trim().split('\n');
  // Fields 19 and 41 of proc(5); the third one follows the command.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const batch = '3';
  assert.deepEqual([fields[19 - 3], fields[41 - 3]], ['5', batch]);
  assert.equal(io, 'best-effort: prio 6');
  assert.match(machine ?? '', /^(i686|armv8l)$/);
  // Kernels without memory nodes have no such file.
  if (memory !== undefined) assert.match(memory, /interleave:0/);
});

test('a terminal has the size of the configuration', { skip }, async () => {
  using bundle = makeBundle();
  const spec = makeSpec({
    process: {
      terminal: true,
      consoleSize: { height: 12, width: 34 },
      args: ['sh', '-c', 'sleep 0.3; stty size'],
    },
  });
  await using init = await startInit({ ...startOptions(bundle, spec), stdio: ['ignore', 'pipe', 'ignore'] });
  const output = init.stdout ? text(init.stdout) : Promise.resolve('');
  await releaseInit(bundle.state, init.pid);
  assert.match(await output, /12 34/);
});

test('recursive attributes hold for every mount below', { skip }, async () => {
  using bundle = makeBundle();
  const spec = makeSpec();
  // A directory of every host that has mounts below it.
  const options = ['rbind', 'rro', 'rnosuid', 'rnodev', 'rnoexec', 'rnoatime'];
  const mounts = [...(spec.mounts ?? []), { destination: '/data', source: '/dev', options }];
  const script = "grep ' /data' /proc/self/mountinfo | cut -d ' ' -f 6; echo x >/data/file || echo read-only";
  const { stdout } = await runScript(bundle, script, { spec: { ...spec, mounts } });
  const lines = stdout.trim().split('\n');
  assert.equal(lines.at(-1), 'read-only');
  assert.ok(lines.length > 2);
  for (const line of lines.slice(0, -1)) assert.match(line, /^ro,nosuid,nodev,noexec,noatime/);
});
