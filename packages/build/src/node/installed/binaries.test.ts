import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { binaryPlatform } from './binaries.ts';
import { nodePlatform, runsOn } from './target.ts';

const bytes = (...values: readonly number[]): Buffer =>
  Buffer.concat([Buffer.from(values), Buffer.alloc(64)]);

test('what compiled files run on', () => {
  const { os, cpu } = { os: process.platform, cpu: process.arch };
  assert.deepEqual(binaryPlatform(readFileSync(process.execPath).subarray(0, 64)), { os, cpus: [cpu] });
  assert.deepEqual(binaryPlatform(bytes(0xcf, 0xfa, 0xed, 0xfe, 0x0c, 0, 0, 1)), {
    os: 'darwin',
    cpus: ['arm64'],
  });
  const fat = bytes(0xca, 0xfe, 0xba, 0xbe, 0, 0, 0, 2, 1, 0, 0, 7);
  fat.set([1, 0, 0, 0x0c], 28);
  assert.deepEqual(binaryPlatform(fat), { os: 'darwin', cpus: ['x64', 'arm64'] });
  assert.deepEqual(binaryPlatform(bytes(0x4d, 0x5a)), { os: 'win32', cpus: ['x64'] });
  assert.equal(binaryPlatform(bytes(0xca, 0xfe, 0xba, 0xbe, 0, 0, 0, 0x34)), undefined, 'a class file');
  assert.equal(binaryPlatform(Buffer.from('#!/usr/bin/env node\n'.padEnd(64))), undefined);
  assert.equal(binaryPlatform(Buffer.alloc(3)), undefined);
});

test('constraints, as npm reads them', async () => {
  const target = {
    ...nodePlatform({ os: 'linux', architecture: 'amd64' }),
    libc: async () => 'musl' as const,
  };
  assert.deepEqual([target.os, target.cpu], ['linux', 'x64']);
  const runs = (fields: object) => runsOn({ os: [], cpu: [], libc: [], ...fields }, target);
  assert.equal(await runs({}), true);
  assert.equal(await runs({ os: ['linux', 'darwin'], cpu: ['x64'] }), true);
  assert.equal(await runs({ os: ['!win32'] }), true);
  assert.equal(await runs({ os: ['!linux'] }), false);
  assert.equal(await runs({ cpu: ['arm64'] }), false);
  assert.equal(await runs({ libc: ['glibc'] }), false);
  assert.equal(await runs({ libc: ['musl'] }), true);
});
