import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { digestBytes, isOciError, MediaType } from '@ocijs/image';
import { missing } from '../../kit/requirements.ts';
import { arena, directory, file, symlink, tarOf } from './arena.ts';
import { block, end, octal, padded, pax, record } from './blocks.ts';

const skip = missing({ root: true });

async function refusedAs(work: Promise<unknown>, code: RegExp): Promise<void> {
  await assert.rejects(work, (error) => isOciError(error) && code.test(error.code));
}

describe('attack 12: programs of the image that the unpack could run (CVE-2014-9357, CVE-2019-14271)', {
  skip,
}, () => {
  /** Writes its own traces beside the target when somebody runs it. */
  const trap = (outside: string): string => `#!/bin/sh\ntouch ${outside}/executed\nexec cat\n`;

  test('decompressors, and libraries for looking users up, are the host’s', async () => {
    await using at = await arena();
    const traps = ['xz', 'bzip2', 'gzip', 'zstd', 'unpigz', 'igzip', 'getent', 'newuidmap'].flatMap((name) =>
      ['bin', 'usr/bin', 'usr/local/bin', 'sbin'].map((place) =>
        file(`${place}/${name}`, trap(at.outside), { mode: 0o755 }),
      ),
    );
    const host = [
      file('etc/nsswitch.conf', 'passwd: evil\ngroup: evil\n'),
      file('lib/x86_64-linux-gnu/libnss_evil.so.2', 'not a library'),
      file('etc/ld.so.preload', '/lib/evil.so\n'),
      file('etc/passwd', 'app:x:7:8::/home/app:/bin/sh\n'),
    ];
    const second = await tarOf([file('second')]);
    const packed = spawnSync('xz', ['-c'], { input: second });
    const layers = [
      [...traps, ...host],
      ...(packed.status === 0
        ? [{ blob: packed.stdout, mediaType: MediaType.layerGzip, diffId: digestBytes(second) }]
        : []),
      [file('third')],
    ];
    const before = process.cwd();
    process.chdir(at.outside);
    try {
      const { rootfs, config } = await at.attack(layers, { config: { User: 'app', Cmd: ['xz'] } });
      assert.deepEqual(config.process?.user, { ...config.process?.user, uid: 7, gid: 8 });
      assert.equal(readFileSync(join(rootfs, 'third'), 'utf8'), 'x');
    } finally {
      process.chdir(before);
    }
    assert.equal(existsSync(join(at.outside, 'executed')), false);
    await at.check();
  });
});

describe('attack 13: bombs (CVE-2017-14992, CVE-2023-25153)', { skip }, () => {
  const zeros = (bytes: number): Buffer => Buffer.alloc(bytes);

  test('a gzip and a zstd that become a thousand times as much', async () => {
    const tar = Buffer.concat([await tarOf([file('zeros', '')]), zeros(200 * 1024 * 1024)]);
    // One frame of a long run: 200 MiB from some kilobytes.
    const blob = zstdCompressSync(tar);
    await using at = await arena();
    const layer = { blob, mediaType: MediaType.layerZstd, diffId: digestBytes(tar) };
    await refusedAs(at.attack([layer]), /LIMIT_EXCEEDED/);
    await refusedAs(
      at.attack([{ blob: gzipSync(tar), mediaType: MediaType.layerGzip, diffId: digestBytes(tar) }], {
        limits: { bytes: 1024 * 1024 },
      }),
      /LIMIT_EXCEEDED/,
    );
    assert.equal(existsSync(at.target), false);
    await at.check();
  });

  test('more entries than wanted', async () => {
    await using at = await arena();
    const many = Array.from({ length: 200 }, (_, index) => file(`f${index}`, ''));
    await refusedAs(at.attack([many], { limits: { entries: 100 } }), /LAYER_INVALID|LIMIT_EXCEEDED/);
    await at.check();
  });

  test('bytes behind the end: of the archive they count, of the compressed stream only zeros', async () => {
    await using at = await arena();
    const tar = await tarOf([file('x')]);
    const mediaType = MediaType.layerGzip;
    const trailing = Buffer.concat([gzipSync(tar), Buffer.from('rubbish'.repeat(100))]);
    await refusedAs(
      at.attack([{ blob: trailing, mediaType, diffId: digestBytes(tar) }]),
      /COMPRESSION_INVALID/,
    );
    const flood = gzipSync(Buffer.concat([tar, zeros(8 * 1024 * 1024)]));
    await refusedAs(at.attack([{ blob: flood, mediaType, diffId: digestBytes(tar) }]), /MISMATCH/);
    await refusedAs(
      at.attack([{ blob: flood, mediaType, diffId: digestBytes(tar) }], { limits: { bytes: 1024 * 1024 } }),
      /LIMIT_EXCEEDED/,
    );
    await at.check();
  });
});

describe('attack 14: numbers and records that cannot be (CVE-2022-2879, CVE-2025-58183)', { skip }, () => {
  const cases: Readonly<Record<string, Buffer>> = {
    'a pax header of a gibibyte': block('x', { type: 'x', size: octal(2 ** 30) }),
    'a GNU long name of a gibibyte': block('x', { type: 'L', size: octal(2 ** 30), magic: 'ustar  \0' }),
    'a negative size': block('x', { size: `\xff${'\xff'.repeat(11)}` }),
    'a pax size below zero': Buffer.concat([pax(record('size', '-1')), block('x', {})]),
    'a pax size that no number holds': Buffer.concat([pax(record('size', '9'.repeat(30))), block('x', {})]),
    'a name with NUL in pax': Buffer.concat([pax(record('path', 'etc\0/passwd')), block('x', {})]),
    'a record whose length lies': Buffer.concat([pax('999999 path=x\n'), block('x', {})]),
    'a sparse map larger than its file': Buffer.concat([
      pax(
        record('GNU.sparse.major', '0'),
        record('GNU.sparse.minor', '1'),
        record('GNU.sparse.size', '10'),
        record('GNU.sparse.map', '0,5,999999999999,5'),
      ),
      block('x', { size: octal(10) }),
      padded('0123456789'),
    ]),
    'a user id beyond 32 bits': Buffer.concat([pax(record('uid', '4294967296')), block('x', {})]),
  };
  for (const [name, tar] of Object.entries(cases)) {
    test(name, async () => {
      await using at = await arena();
      await refusedAs(
        at.attack([{ blob: Buffer.concat([tar, end]) }]),
        /TAR_INVALID|LIMIT_EXCEEDED|LAYER_INVALID/,
      );
      assert.equal(existsSync(at.target), false);
      await at.check();
    });
  }
});

describe('attack 15: archives that readers see differently', { skip }, () => {
  test('pax goes before the header, in size and name: no entry hides in the content of another', async () => {
    await using at = await arena();
    const hidden = Buffer.concat([block('hidden', { size: octal(1) }), padded('h')]);
    const tar = Buffer.concat([
      // The header says that there is nothing; pax, that what looks like an entry is content.
      pax(record('size', String(hidden.length)), record('path', 'seen')),
      block('other', { size: octal(0) }),
      hidden,
      end,
    ]);
    const { rootfs } = await at.attack([{ blob: tar }]);
    assert.deepEqual(readdirSync(rootfs), ['seen']);
    assert.equal(statSync(join(rootfs, 'seen')).size, hidden.length);
  });

  test('a GNU long name goes before pax, as in Go', async () => {
    await using at = await arena();
    const tar = Buffer.concat([
      block('x', { type: 'L', size: octal(4), magic: 'ustar  \0' }),
      padded('gnu\0'),
      pax(record('path', 'pax')),
      block('block', {}),
      end,
    ]);
    const { rootfs } = await at.attack([{ blob: tar }]);
    assert.deepEqual(readdirSync(rootfs), ['gnu']);
  });

  test('nothing is read behind the end marker, and a single block of zeros is none', async () => {
    await using at = await arena();
    const entry = Buffer.concat([block('behind', { size: octal(1) }), padded('b')]);
    const first = Buffer.concat([block('first', { size: octal(1) }), padded('f')]);
    const { rootfs } = await at.attack([{ blob: Buffer.concat([first, end, entry, end]) }]);
    assert.deepEqual(readdirSync(rootfs), ['first']);
    await using again = await arena();
    const single = Buffer.concat([first, Buffer.alloc(512), entry, end]);
    await refusedAs(again.attack([{ blob: single }]), /TAR_INVALID/);
  });
});

describe('attack 32: set-user-id programs that others could reach (CVE-2021-41091, CVE-2021-41103)', {
  skip,
}, () => {
  test('a bundle is its owner’s alone, also while it is made and where the parent is open', async () => {
    await using at = await arena();
    const parent = dirname(at.target);
    chmodSync(parent, 0o777);
    const modes = new Set<number>();
    const look = (): void => {
      for (const name of readdirSync(parent))
        if (name !== 'outside' && name !== 'layout') modes.add(statSync(join(parent, name)).mode & 0o7777);
    };
    await at.attack([[file('su', 'x', { mode: 0o4755 })], [directory('d', { mode: 0o1777 })]], {
      onEvent: look,
    });
    look();
    assert.deepEqual([...modes], [0o700]);
    assert.equal(statSync(join(at.target, 'rootfs/su')).mode & 0o7777, 0o4755);
  });
});

describe('attack 35: layers that a kernel would have to parse', { skip }, () => {
  for (const mediaType of [
    'application/vnd.erofs.layer.v1',
    'application/vnd.oci.image.layer.v1.erofs',
    'application/vnd.oci.image.layer.v1.squashfs',
    'application/vnd.oci.image.layer.nydus.blob.v1',
  ]) {
    test(`${mediaType} is refused before anything is made`, async () => {
      await using at = await arena();
      await refusedAs(
        at.attack([[file('x')], { blob: Buffer.alloc(4096), mediaType }]),
        /MEDIA_TYPE_UNSUPPORTED/,
      );
      assert.equal(existsSync(at.target), false);
      await at.check();
    });
  }

  test('a file system in the place of an archive is none', async () => {
    await using at = await arena();
    const erofs = Buffer.alloc(8192);
    erofs.writeUInt32LE(0xe0f5e1e2, 1024);
    await refusedAs(at.attack([[symlink('l', '/')], { blob: erofs.fill(1, 0, 512) }]), /TAR_INVALID/);
    await at.check();
  });
});
