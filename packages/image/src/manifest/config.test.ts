import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { digestBytes } from '../digest/hasher.ts';
import { isOciError } from '../errors.ts';
import { encodeJson } from '../json/encode.ts';
import { parseImageConfig } from './config.ts';

const diffId = digestBytes(Buffer.from('layer'));
const minimal = { os: 'linux', architecture: 'amd64', rootfs: { type: 'layers', diff_ids: [diffId] } };

function refuses(changes: object, jsonPath: string): void {
  assert.throws(
    () => parseImageConfig(encodeJson({ ...minimal, ...changes })),
    (error) => {
      assert.ok(isOciError(error, 'ERR_OCI_CONFIG_INVALID'), String(error));
      assert.equal(error.facts.jsonPath, jsonPath);
      return true;
    },
  );
}

describe('image configuration', () => {
  test('all fields', () => {
    const full = {
      ...minimal,
      variant: 'v2',
      'os.version': '1',
      'os.features': ['a'],
      created: '2024-02-29T23:59:59.123456789+02:00',
      author: 'someone',
      config: {
        User: '1000:1000',
        ExposedPorts: { '80/tcp': {} },
        Env: ['PATH=/bin', 'EMPTY=', 'LINES=a\nb', 'EQUALS=a=b'],
        Entrypoint: ['/init'],
        Cmd: [],
        Volumes: { '/data': {} },
        WorkingDir: '/',
        Labels: { a: 'b' },
        StopSignal: 'SIGTERM',
        ArgsEscaped: false,
        Healthcheck: { Test: ['CMD', 'x'], Interval: 30_000_000_000, Retries: 3 },
        OnBuild: ['RUN x'],
        Shell: ['/bin/sh', '-c'],
        StopTimeout: 10,
      },
      history: [
        { created: '0001-01-01T00:00:00Z', created_by: 'x', comment: 'y', author: 'z', empty_layer: true },
      ],
    };
    assert.deepEqual(parseImageConfig(encodeJson(full)), full);
  });

  test('what Go tools write for nothing is nothing', () => {
    const nulls = {
      created: null,
      history: null,
      config: {
        Env: null,
        Cmd: null,
        Entrypoint: null,
        Volumes: null,
        Labels: null,
        ExposedPorts: null,
        OnBuild: null,
        Healthcheck: null,
        Shell: null,
        StopTimeout: null,
      },
    };
    assert.deepEqual(parseImageConfig(encodeJson({ ...minimal, ...nulls })), { ...minimal, config: {} });
    assert.deepEqual(parseImageConfig(encodeJson({ ...minimal, config: null })), minimal);
    const scratch = { ...minimal, rootfs: { type: 'layers', diff_ids: null } };
    assert.deepEqual(parseImageConfig(encodeJson(scratch)).rootfs.diff_ids, []);
  });

  test('fields of Docker alone are kept', () => {
    const docker = {
      ...minimal,
      docker_version: '1.10.3',
      container_config: { Env: null },
      config: { Hostname: 'x' },
    };
    assert.deepEqual(parseImageConfig(encodeJson(docker)), docker);
  });

  for (const [changes, jsonPath] of [
    [{ os: 123 }, '$.os'],
    [{ os: null }, '$.os'],
    [{ architecture: undefined }, '$.architecture'],
    [{ variant: 7 }, '$.variant'],
    [{ rootfs: undefined }, '$.rootfs'],
    [{ rootfs: { type: 'tree', diff_ids: [] } }, '$.rootfs.type'],
    [{ rootfs: { type: 'layers' } }, '$.rootfs.diff_ids'],
    [{ rootfs: { type: 'layers', diff_ids: [diffId, 'sha256:x'] } }, '$.rootfs.diff_ids[1]'],
    [{ created: 'yesterday' }, '$.created'],
    [{ created: '2024-13-01T00:00:00Z' }, '$.created'],
    [{ created: '' }, '$.created'],
    [{ history: {} }, '$.history'],
    [{ history: [{ empty_layer: 'true' }] }, '$.history[0].empty_layer'],
    [{ config: [] }, '$.config'],
    [{ config: { User: 1000 } }, '$.config.User'],
    [{ config: { Env: [7353] } }, '$.config.Env[0]'],
    [{ config: { Env: ['A=b', 'NOVALUE'] } }, '$.config.Env[1]'],
    [{ config: { Env: ['=b'] } }, '$.config.Env[0]'],
    [{ config: { Entrypoint: '/bin/sh' } }, '$.config.Entrypoint'],
    [{ config: { Volumes: ['/data'] } }, '$.config.Volumes'],
    [{ config: { Volumes: { '/data': 'x' } } }, '$.config.Volumes["/data"]'],
    [{ config: { Labels: { a: 1 } } }, '$.config.Labels.a'],
    [{ config: { StopTimeout: -1 } }, '$.config.StopTimeout'],
    [{ config: { env: [] } }, '$.config.env'],
  ] as const)
    test(`${JSON.stringify(changes)} is refused`, () => refuses(changes, jsonPath));

  test('a value of an environment variable is not in a message', () => {
    assert.throws(
      () => parseImageConfig(encodeJson({ ...minimal, config: { Env: ['=secret'] } })),
      (error) => isOciError(error) && !error.message.includes('secret'),
    );
  });

  test('more than 8 MiB are refused, more than 4 are not', () => {
    const labels = (bytes: number): Uint8Array =>
      encodeJson({ ...minimal, config: { Labels: { a: 'x'.repeat(bytes) } } });
    parseImageConfig(labels(5 * 1024 * 1024));
    assert.throws(() => parseImageConfig(labels(8 * 1024 * 1024)), { code: 'ERR_OCI_LIMIT_EXCEEDED' });
  });
});
