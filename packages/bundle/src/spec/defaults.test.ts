import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Ajv } from 'ajv';
import { defaultSpec } from './defaults.ts';
import { specFromImage } from './from-image.ts';
import { singleIdMappings } from './rootless.ts';
import type { RuntimeSpec } from './types.ts';
import { validateSpec } from './validate/validate.ts';

const own = singleIdMappings({ uid: 1234, gid: 5678 });

function officialSchema(): (value: unknown) => void {
  const ajv = new Ajv({ strict: false, allErrors: true });
  for (const name of ['config-linux.json', 'defs.json', 'defs-linux.json']) {
    const text = readFileSync(new URL(`./testdata/schema/${name}`, import.meta.url), 'utf8');
    ajv.addSchema(JSON.parse(text) as object, name);
  }
  for (const other of ['solaris', 'windows', 'vm', 'zos', 'freebsd']) {
    ajv.addSchema({ [other]: {} }, `config-${other}.json`);
  }
  const text = readFileSync(new URL('./testdata/schema/config-schema.json', import.meta.url), 'utf8');
  const { $schema: _, ...schema } = JSON.parse(text) as Record<string, unknown>;
  const validate = ajv.compile(schema);
  return (value) => assert.ok(validate(value), JSON.stringify(validate.errors));
}

test('what we write is valid by the official schema and by our own check', () => {
  const check = officialSchema();
  assert.throws(() => check({ ociVersion: 1 }));
  const image = { os: 'linux', architecture: 'amd64', rootfs: { type: 'layers', diff_ids: [] } } as const;
  const specs = [
    defaultSpec(),
    defaultSpec({ rootless: true }),
    defaultSpec({ rootless: { ...own, network: 'private' } }),
    specFromImage({ ...image, config: { Volumes: { '/v': {} } } }),
    specFromImage(image, { rootless: own }),
  ];
  for (const spec of specs) {
    check(spec);
    assert.deepEqual(validateSpec(spec), []);
  }
});

function runcSpec(flags: readonly string[]): RuntimeSpec | undefined {
  const directory = mkdtempSync(join(tmpdir(), 'oci-runc-spec-'));
  try {
    const { status } = spawnSync('runc', ['spec', ...flags, '--bundle', directory]);
    if (status !== 0) return undefined;
    return JSON.parse(readFileSync(join(directory, 'config.json'), 'utf8')) as RuntimeSpec;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** The differences that we mean: our name and version, an own cgroup namespace, and no ambient capabilities, as runc since 1.2. */
function comparable(spec: RuntimeSpec): unknown {
  const { ociVersion: _, hostname: __, linux, process, ...rest } = spec;
  const { ambient: ___, ...capabilities } = process?.capabilities ?? {};
  const namespaces = (linux?.namespaces ?? []).map(({ type }) => type).filter((type) => type !== 'cgroup');
  const mounts = spec.mounts?.map((mount) => ({ ...mount, options: mount.options?.toSorted() }));
  return {
    ...rest,
    process: { ...process, capabilities },
    mounts,
    linux: { ...linux, namespaces, maskedPaths: linux?.maskedPaths?.slice(0, 9) },
  };
}

const runc = runcSpec([]);

test('the default is what runc prints', { skip: runc === undefined && 'runc is not installed' }, () => {
  assert.deepEqual(comparable(defaultSpec()), comparable(runc as RuntimeSpec));
});

test('the rootless default is what runc prints', {
  skip: runc === undefined && 'runc is not installed',
}, () => {
  assert.deepEqual(
    comparable(defaultSpec({ rootless: true })),
    comparable(runcSpec(['--rootless']) as RuntimeSpec),
  );
});

test('with an own network, sysfs is mounted; with group 5 mapped, devpts keeps it', () => {
  const spec = defaultSpec({
    rootless: {
      uidMappings: own.uidMappings,
      gidMappings: [...own.gidMappings, { containerID: 1, hostID: 100000, size: 65536 }],
      network: 'private',
    },
  });
  assert.equal(spec.mounts?.find(({ destination }) => destination === '/sys')?.type, 'sysfs');
  assert.ok(spec.mounts?.find(({ type }) => type === 'devpts')?.options?.includes('gid=5'));
  assert.ok(spec.linux?.namespaces?.some(({ type }) => type === 'network'));
});

test('groups that are not mapped are left out', () => {
  const base = defaultSpec();
  if (base.process !== undefined) base.process.user.additionalGids = [0, 7];
  const image = {
    os: 'linux',
    architecture: 'amd64',
    rootfs: { type: 'layers', diff_ids: [] },
    config: { User: '0:0' },
  } as const;
  assert.deepEqual(specFromImage(image, { rootless: own }).process?.user, { uid: 0, gid: 0 });
});

test('each call gives a new object', () => {
  const first = defaultSpec();
  first.process?.args?.push('x');
  first.linux?.maskedPaths?.pop();
  assert.deepEqual(defaultSpec().process?.args, ['sh']);
  assert.notDeepEqual(first.linux?.maskedPaths, defaultSpec().linux?.maskedPaths);
});
