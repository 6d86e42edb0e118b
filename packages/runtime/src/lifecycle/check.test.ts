import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultSpec, type RuntimeSpec, singleIdMappings } from '@ocijs/bundle/spec';
import { checkSpec, requireProcess } from './check.ts';

function changed(
  change: (
    spec: RuntimeSpec & {
      process: NonNullable<RuntimeSpec['process']>;
      linux: NonNullable<RuntimeSpec['linux']>;
    },
  ) => void,
  rootless = false,
): RuntimeSpec {
  const spec = rootless
    ? defaultSpec({ rootless: singleIdMappings({ uid: 1000, gid: 1000 }) })
    : defaultSpec();
  change(spec as Parameters<typeof change>[0]);
  return spec;
}

test('what we write ourselves passes', () => {
  checkSpec(defaultSpec());
  checkSpec(defaultSpec({ rootless: singleIdMappings({ uid: 1000, gid: 1000 }) }));
});

const conflicts: readonly (readonly [string, RuntimeSpec])[] = [
  [
    'no arguments',
    changed((spec) => {
      spec.process.args = [];
    }),
  ],
  [
    'an empty command',
    changed((spec) => {
      spec.process.args = [''];
    }),
  ],
  [
    'a hostname without a uts namespace',
    changed((spec) => {
      spec.linux.namespaces = [{ type: 'mount' }];
    }),
  ],
  [
    'a user namespace without mappings',
    changed((spec) => {
      spec.linux.namespaces?.push({ type: 'user' });
    }),
  ],
  [
    'mappings without a user namespace',
    changed((spec) => {
      spec.linux.uidMappings = [{ containerID: 0, hostID: 0, size: 1 }];
    }),
  ],
  [
    'a user that is not mapped',
    changed((spec) => {
      spec.process.user.uid = 5;
    }, true),
  ],
  [
    'a group that is not mapped',
    changed((spec) => {
      spec.process.user.additionalGids = [5];
    }, true),
  ],
  [
    'time offsets without a time namespace',
    changed((spec) => {
      spec.linux.timeOffsets = { boottime: { secs: 1 } };
    }),
  ],
];

test('a process is only needed to run', () => {
  const { process: _, ...spec } = changed(() => undefined);
  checkSpec(spec);
  assert.throws(() => requireProcess(spec), { code: 'ERR_OCI_SPEC_CONFLICT' });
});

for (const [name, spec] of conflicts) {
  test(`${name} is a conflict`, () => {
    assert.throws(() => checkSpec(spec), { code: 'ERR_OCI_SPEC_CONFLICT' });
  });
}

const unsupported: readonly (readonly [string, RuntimeSpec])[] = [
  [
    'an unknown major version',
    changed((spec) => {
      spec.ociVersion = '2.0.0';
    }),
  ],
];

for (const [name, spec] of unsupported) {
  test(`${name} is refused, never ignored`, () => {
    assert.throws(() => checkSpec(spec), { code: 'ERR_OCI_SPEC_UNSUPPORTED' });
  });
}
