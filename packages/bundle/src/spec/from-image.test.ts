import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { ExecutionConfig, ImageConfig } from '@ocijs/image';
import { dockerCapabilities } from './capabilities.ts';
import { specFromImage } from './from-image.ts';
import type { Mount, Process } from './types.ts';
import { validateSpec } from './validate/validate.ts';

interface Row {
  readonly name: string;
  readonly image: Omit<ImageConfig, 'rootfs'>;
  readonly refused?: string;
  readonly runtime?: { process: Process; volumeMounts: Mount[] };
}

const table = JSON.parse(
  readFileSync(new URL('./testdata/image-to-runtime.json', import.meta.url), 'utf8'),
) as { passwd: string; group: string; cases: Row[] };

let rootfs: string;

before(() => {
  rootfs = mkdtempSync(join(tmpdir(), 'oci-spec-'));
  mkdirSync(join(rootfs, 'etc'));
  writeFileSync(join(rootfs, 'etc/passwd'), table.passwd);
  writeFileSync(join(rootfs, 'etc/group'), table.group);
});

after(() => rmSync(rootfs, { recursive: true, force: true }));

function image(config: ExecutionConfig = {}, rest: Partial<ImageConfig> = {}): ImageConfig {
  return { os: 'linux', architecture: 'amd64', ...rest, config, rootfs: { type: 'layers', diff_ids: [] } };
}

for (const row of table.cases) {
  test(`agrees with umoci on ${row.name}`, () => {
    const source = image(row.image.config, row.image);
    if (row.refused !== undefined || row.runtime === undefined) {
      assert.throws(() => specFromImage(source, { rootfs }), { code: 'ERR_OCI_USER_NOT_FOUND' });
      return;
    }
    const spec = specFromImage(source, { rootfs });
    const { args, env, cwd, user } = spec.process as Process;
    assert.deepEqual({ args, env, cwd, user }, row.runtime.process);
    assert.deepEqual(spec.mounts?.slice(7), row.runtime.volumeMounts);
    assert.deepEqual(validateSpec(spec), []);
  });
}

test('annotations name what the image sets, and labels win', () => {
  const spec = specFromImage(
    image(
      {
        StopSignal: 'SIGQUIT',
        ExposedPorts: { '9/udp': {}, '80/tcp': {} },
        Labels: { own: '1', 'org.opencontainers.image.author': 'label' },
      },
      {
        author: 'field',
        created: '2021-01-02T03:04:05+02:00',
        variant: 'v2',
        'os.version': '6',
        'os.features': ['a', 'b'],
      },
    ),
    { rootfs },
  );
  assert.deepEqual(spec.annotations, {
    'org.opencontainers.image.os': 'linux',
    'org.opencontainers.image.architecture': 'amd64',
    'org.opencontainers.image.variant': 'v2',
    'org.opencontainers.image.os.version': '6',
    'org.opencontainers.image.os.features': 'a,b',
    'org.opencontainers.image.author': 'label',
    'org.opencontainers.image.created': '2021-01-02T03:04:05+02:00',
    'org.opencontainers.image.stopSignal': 'SIGQUIT',
    'org.opencontainers.image.exposedPorts': '80/tcp,9/udp',
    own: '1',
  });
});

test('a label that a runtime would obey is dropped', () => {
  const labels = {
    'run.oci.hooks.stderr': '/etc/passwd',
    'org.systemd.property.ExecStopPost': '[]',
    'org.criu.config': '/x',
    fine: 'yes',
  };
  const spec = specFromImage(image({ Labels: labels }), { rootfs });
  assert.deepEqual(Object.keys(spec.annotations ?? {}).sort(), [
    'fine',
    'org.opencontainers.image.architecture',
    'org.opencontainers.image.os',
  ]);
});

test('a later variable of the same name wins, in the place of the first', () => {
  const spec = specFromImage(image({ Env: ['A=1', 'B=2', 'A=3', 'HOME=/mine'] }), { rootfs });
  assert.deepEqual(spec.process?.env?.slice(2), ['A=3', 'B=2', 'HOME=/mine']);
});

test('an environment entry without a name is refused', () => {
  for (const entry of ['NOTHING', '=x', '']) {
    assert.throws(() => specFromImage(image({ Env: [entry] }), { rootfs }), {
      code: 'ERR_OCI_SPEC_INVALID',
      facts: { jsonPath: '$.config.Env[0]' },
    });
  }
});

test('volumes can be ignored, and cannot leave the root', () => {
  assert.equal(
    specFromImage(image({ Volumes: { '/v': {} } }), { rootfs, volumes: 'ignore' }).mounts?.length,
    7,
  );
  for (const volume of ['v', '/../etc', '/a/../../b']) {
    assert.throws(() => specFromImage(image({ Volumes: { [volume]: {} } }), { rootfs }), {
      code: 'ERR_OCI_SPEC_INVALID',
    });
  }
});

test('a relative working directory starts at the root; user, capabilities and root path can be given', () => {
  const spec = specFromImage(image({ WorkingDir: 'srv', User: 'nobody-here' }), {
    rootfs,
    user: 'web',
    rootPath: 'r',
    capabilities: [],
  });
  assert.equal(spec.process?.cwd, '/srv');
  assert.equal(spec.process?.user.uid, 33);
  assert.equal(spec.root?.path, 'r');
  assert.deepEqual(spec.process?.capabilities, { bounding: [], effective: [], permitted: [] });
});

test('capabilities are those of Docker, none of them ambient or inheritable', () => {
  const { capabilities } = specFromImage(image(), { rootfs }).process as Process;
  assert.deepEqual(Object.keys(capabilities ?? {}).sort(), ['bounding', 'effective', 'permitted']);
  assert.deepEqual(capabilities?.bounding, dockerCapabilities);
});
