import assert from 'node:assert/strict';
import { existsSync, lstatSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { type ExecutionConfig, isOciError, type TarWriteEntry } from '@ocijs/image';
import { missing } from '../../kit/requirements.ts';
import { runtimeSpecErrors } from '../../kit/runtime-schema.ts';
import { arena, directory, file, symlink } from './arena.ts';
import { block, end, octal, padded, pax, record } from './blocks.ts';

const skip = missing({ root: true });
const passwd = (line: string): TarWriteEntry => file('etc/passwd', `${line}\n`);

interface HostileConfig {
  readonly config: ExecutionConfig;
  readonly files?: (outside: string) => readonly TarWriteEntry[];
  /** The bytes of a layer that is on top of that. */
  readonly blob?: Buffer;
  readonly refused?: RegExp;
  /** What the configuration must contain when it is not refused. */
  readonly expect?: object;
}

const cases: Readonly<Record<string, HostileConfig>> = {
  'a user id that 32 bits would make root': { config: { User: '4294967296' }, refused: /USER_NOT_FOUND/ },
  'the id that means nobody': { config: { User: '4294967295' }, refused: /USER_NOT_FOUND/ },
  'a group id that 32 bits would make root': { config: { User: '1:4294967296' }, refused: /USER_NOT_FOUND/ },
  'a negative id': { config: { User: '-1' }, refused: /USER_NOT_FOUND/ },
  'an id of a thousand digits': { config: { User: '9'.repeat(1000) }, refused: /USER_NOT_FOUND/ },
  'a name that no file has': { config: { User: '0x0' }, refused: /USER_NOT_FOUND/ },
  'a user whose id in passwd is too large': {
    config: { User: 'app' },
    files: () => [passwd('app:x:4294967296:0::/:/bin/sh')],
    refused: /USER_NOT_FOUND/,
  },
  'a user whose group in passwd is too large': {
    config: { User: 'app' },
    files: () => [passwd('app:x:7:99999999999::/:/bin/sh')],
    refused: /USER_NOT_FOUND/,
  },
  'passwd as a fifo': {
    config: { User: 'app' },
    files: () => [{ header: { name: 'etc/passwd', type: 'fifo', mode: 0o644 } }],
    refused: /UNPACK_DENIED/,
  },
  'passwd as a device': {
    config: { User: 'app' },
    files: () => [
      { header: { name: 'etc/passwd', type: 'character-device', deviceMajor: 1, deviceMinor: 5 } },
    ],
    refused: /UNPACK_DENIED/,
  },
  'passwd as a link to the host’s': {
    config: { User: 'app' },
    files: (outside) => [symlink('etc/passwd', `../../../../../../../..${outside}/canary`)],
    refused: /USER_NOT_FOUND/,
  },
  'passwd as a link to itself, by way of the process': {
    config: { User: 'app' },
    files: () => [symlink('etc/passwd', '/proc/self/root/etc/passwd')],
    refused: /USER_NOT_FOUND/,
  },
  'passwd of 1 GiB, none of which is in the layer': {
    config: { User: 'app' },
    blob: Buffer.concat([
      pax(
        record('GNU.sparse.major', '0'),
        record('GNU.sparse.minor', '1'),
        record('GNU.sparse.size', String(2 ** 30)),
        record('GNU.sparse.numblocks', '1'),
        record('GNU.sparse.map', '0,26'),
      ),
      block('etc/passwd', { size: octal(26) }),
      padded('app:x:7:8::/home:/bin/sh\n\n'),
      end,
    ]),
    refused: /UNPACK_DENIED/,
  },
  'group as a directory': {
    config: { User: '1:app' },
    files: () => [directory('etc/group')],
    refused: /UNPACK_DENIED/,
  },
  'a volume that leads out': { config: { Volumes: { '/a/../../../etc': {} } }, refused: /SPEC_INVALID/ },
  'a volume without a slash': { config: { Volumes: { etc: {} } }, refused: /SPEC_INVALID/ },
  'a working directory that leads out': {
    config: { WorkingDir: '../../../../etc' },
    expect: { process: { cwd: '/../../../../etc' } },
  },
  'a working directory among the descriptors of the runtime (CVE-2024-21626)': {
    config: { WorkingDir: '/proc/self/fd/8' },
    expect: { process: { cwd: '/proc/self/fd/8' } },
  },
  'labels that runtimes obey (CVE-2026-53488)': {
    config: {
      Labels: {
        'io.containerd.x': '1',
        'org.criu.config': '/etc/x',
        'org.systemd.property.ExecStopPost': '[]',
        'run.oci.handler': 'wasm',
        plain: 'kept',
      },
    },
    expect: { annotations: { plain: 'kept' } },
  },
  'variables without a name': { config: { Env: ['=x'] }, refused: /CONFIG_INVALID/ },
  'nothing at all': { config: {}, expect: { process: { user: { uid: 0, gid: 0 }, args: ['sh'], cwd: '/' } } },
};

describe('attack 29: hostile configurations (CVE-2022-23648, CVE-2024-40635, CVE-2024-9676)', {
  skip,
}, () => {
  for (const [name, { config, files, blob, refused, expect = {} }] of Object.entries(cases)) {
    test(name, async () => {
      await using at = await arena();
      const outcome = at.attack(
        [[file('x'), ...(files?.(at.outside) ?? [])], ...(blob === undefined ? [] : [{ blob }])],
        { config },
      );
      if (refused !== undefined) {
        await assert.rejects(outcome, (error) => isOciError(error) && refused.test(error.code));
        assert.equal(existsSync(at.target), false);
      } else {
        const { directory: bundle, config: made } = await outcome;
        const written = JSON.parse(await readFile(join(bundle, 'config.json'), 'utf8'));
        assert.deepEqual(written, JSON.parse(JSON.stringify(made)));
        assert.deepEqual(runtimeSpecErrors(written), []);
        assert.partialDeepStrictEqual(written, expect);
        const annotations = Object.keys(written.annotations ?? {});
        assert.deepEqual(
          annotations.filter((key) => !key.startsWith('org.opencontainers.image.') && key !== 'plain'),
          [],
        );
        assert.ok(lstatSync(join(bundle, 'rootfs')).isDirectory());
      }
      await at.check();
    });
  }
});
