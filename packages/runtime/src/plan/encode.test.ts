import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodePlan } from './decode.ts';
import { encodePlan } from './encode.ts';
import { initStep, stepsOf } from './step.ts';

const header = { flags: 5, cloneFlags: 0x7c020000, preservedFds: 2 };

test('a plan can be read back', () => {
  const bytes = encodePlan(header, [
    initStep('hostname', { purpose: 'set the host name', fields: { text: 'größe' } }),
    stepsOf('host')('idMapHelper', { purpose: 'map', fields: { path: '/x', argument: ['1', '2', '3'] } }),
    initStep('capabilities', { purpose: 'set', fields: { effective: 2n ** 63n, permitted: 0 } }),
    initStep('seccomp', { purpose: 'load', fields: { bytes: Uint8Array.of(1, 2, 3) } }),
  ]);
  assert.deepEqual(decodePlan(bytes), {
    header,
    steps: [
      { section: 'init', tag: 'hostname', fields: { text: 'größe' } },
      { section: 'host', tag: 'idMapHelper', fields: { path: '/x', argument: ['1', '2', '3'] } },
      { section: 'init', tag: 'capabilities', fields: { effective: 2n ** 63n, permitted: 0 } },
      { section: 'init', tag: 'seccomp', fields: { bytes: '010203' } },
    ],
  });
});

test('every record starts at a multiple of four', () => {
  for (const text of ['', 'a', 'ab', 'abc', 'abcd']) {
    const bytes = encodePlan(header, [initStep('hostname', { purpose: 'set', fields: { text } })]);
    assert.equal(bytes.length % 4, 0);
  }
});

test('a text with a NUL cannot become two', () => {
  const step = initStep('hostname', { purpose: 'set', fields: { text: 'a\0b' } });
  assert.throws(() => encodePlan(header, [step]), { code: 'ERR_OCI_SPEC_CONFLICT' });
});

test('long values stay what they are: lengths have 32 bits (CVE-2021-43784)', () => {
  const text = 'x'.repeat(70_000);
  const { steps } = decodePlan(
    encodePlan(header, [initStep('hostname', { purpose: 'set', fields: { text } })]),
  );
  assert.equal(steps[0]?.fields['text'], text);
});

test('a plan above the limit is refused', () => {
  const step = initStep('hostname', { purpose: 'set', fields: { text: 'x'.repeat(5 << 20) } });
  assert.throws(() => encodePlan(header, [step]), { code: 'ERR_OCI_SPEC_UNSUPPORTED' });
});
