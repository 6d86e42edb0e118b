import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ImageName, parseImageName } from './image-name.ts';

const digest = `sha256:${'a'.repeat(64)}`;

const cases: [string, ImageName][] = [
  ['debian', { transport: 'name', name: 'debian' }],
  ['localhost:5000/a/b:v1', { transport: 'name', name: 'localhost:5000/a/b:v1' }],
  ['docker://debian:12', { transport: 'docker', name: 'debian:12' }],
  ['oci:dir', { transport: 'oci', directory: 'dir' }],
  ['oci:/a/b:v1', { transport: 'oci', directory: '/a/b', tag: 'v1' }],
  [
    'oci:dir:docker.io/library/debian:12',
    { transport: 'oci', directory: 'dir', tag: 'docker.io/library/debian:12' },
  ],
  [`oci:dir@${digest}`, { transport: 'oci', directory: 'dir', digest }],
  ['oci:di@r:v1', { transport: 'oci', directory: 'di@r', tag: 'v1' }],
  ['oci-archive:-', { transport: 'oci-archive', file: '-' }],
  ['oci-archive:/a/b.tar:v1', { transport: 'oci-archive', file: '/a/b.tar', name: 'v1' }],
  [
    'docker-archive:a.tar:docker.io/library/debian:12',
    { transport: 'docker-archive', file: 'a.tar', name: 'docker.io/library/debian:12' },
  ],
  ['docker-archive:a.tar:@2', { transport: 'docker-archive', file: 'a.tar', position: 2 }],
  ['dir:a:b', { transport: 'dir', directory: 'a:b' }],
];

for (const [text, name] of cases) {
  test(`reads ${text}`, () => assert.deepEqual(parseImageName(text), name));
}

for (const text of [
  '',
  'oci:',
  'docker://',
  'oci::v1',
  'oci:dir:',
  'dir:',
  'oci-archive:',
  'docker-archive::x',
  'oci-archive:a:',
]) {
  test(`refuses ${JSON.stringify(text)}`, () =>
    assert.throws(() => parseImageName(text), { code: 'ERR_OCI_USAGE' }));
}

for (const text of ['docker-daemon:x', 'containers-storage:x']) {
  test(`says what is supported instead of ${text}`, () => {
    assert.throws(() => parseImageName(text), { code: 'ERR_OCI_TRANSPORT_UNSUPPORTED', hint: /oci:DIR/ });
  });
}
