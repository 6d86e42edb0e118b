import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { unpack } from '@ocijs/bundle';
import { buildLayer, type Compression, createLayout, type TarWriteEntry, writeImage } from '@ocijs/image';
import { output } from '../kit/command.ts';
import { missing } from '../kit/requirements.ts';
import { temporaryDirectory } from '../kit/temporary.ts';
import { compareTrees, describeTree } from '../kit/tree.ts';

type Header = TarWriteEntry['header'];

const times = { mtimeNs: 1_500_000_000_000_000_000n };

function file(name: string, text = '', header: Partial<Header> = {}): TarWriteEntry {
  return { header: { ...times, name, type: 'file', ...header }, body: Buffer.from(text) };
}
function directory(name: string, header: Partial<Header> = {}): TarWriteEntry {
  return { header: { ...times, name, type: 'directory', ...header } };
}
function symlink(name: string, linkname: string, header: Partial<Header> = {}): TarWriteEntry {
  return { header: { ...times, name, linkname, type: 'symlink', ...header } };
}
function link(name: string, linkname: string): TarWriteEntry {
  return { header: { ...times, name, linkname, type: 'link' } };
}
function node(name: string, header: Partial<Header>): TarWriteEntry {
  return { header: { ...times, name, ...header } };
}

const capability = Buffer.from('0100000200200000000000000000000000000000', 'hex');
const base: readonly TarWriteEntry[] = [
  directory('./', { mode: 0o751, mtimeNs: 1_400_000_000_000_000_000n }),
  directory('usr/'),
  directory('usr/bin', { mode: 0o2755, gid: 50 }),
  directory('usr/lib'),
  symlink('lib', 'usr/lib', { uid: 12, gid: 13 }),
  symlink('bin', '/usr/bin'),
  file('lib/libc.so', 'through a relative link'),
  file('bin/su', 'through an absolute link', { mode: 0o4755, mtimeNs: 1_499_999_999_123_456_789n }),
  file('usr/bin/ping', 'p', { mode: 0o755, xattrs: new Map([['security.capability', capability]]) }),
  link('usr/bin/ping6', 'bin/ping'),
  link('usr/bin/link-to-link', 'lib'),
  directory('etc', {
    xattrs: new Map([
      ['user.note', Buffer.from([0, 255])],
      ['user.old', Buffer.from('x')],
    ]),
  }),
  file('etc/a', 'a', { uid: 1_000, gid: 1_001, mode: 0o640 }),
  file('etc/b', 'b'),
  directory('etc/d'),
  file('etc/d/x', 'x'),
  directory('etc/d/e'),
  file('etc/d/e/y', 'y'),
  directory('tmp', { mode: 0o1777 }),
  directory('dev'),
  node('dev/null', { type: 'character-device', mode: 0o666, deviceMajor: 1, deviceMinor: 3 }),
  node('dev/disk', { type: 'block-device', mode: 0o660, gid: 6, deviceMajor: 259, deviceMinor: 70_000 }),
  node('dev/pipe', { type: 'fifo', mode: 0o622 }),
  file('big-ids', '', { uid: 3_000_000, gid: 4_000_000 }),
  file('old', 'before 1970', { mtimeNs: -5_000_000_000n }),
  file(`long/${'n'.repeat(200)}/${'m'.repeat(200)}`, 'long'),
  {
    header: { ...times, name: 'bytes', nameBytes: Buffer.from('62fff0c3a9', 'hex') },
    body: Buffer.from('bytes'),
  },
  file('é/日本', 'unicode'),
];
const changes: readonly TarWriteEntry[] = [
  file('etc/.wh.a'),
  directory('etc/', { mode: 0o700, xattrs: new Map([['user.note', Buffer.from('new')]]) }),
  file('etc/d/new', 'kept by the marker behind it'),
  directory('etc/d/e'),
  file('etc/d/.wh..wh..opq'),
  symlink('etc/b', '../../../../etc/passwd'),
  directory('usr/lib/sub'),
  file('lib/sub/deep', 'x'),
  file('lib/.wh.libc.so'),
  file('bin/su', 'a new one', { mode: 0o755 }),
  link('usr/bin/ping7', '../../../usr/bin/ping'),
  directory('dev/null'),
  file('dev/null/inside', 'a device became a directory'),
  file('tmp', 'a directory became a file'),
  file('.wh.old'),
  file('.wh.missing'),
  file('../../outside', 'stays inside'),
];
const last: readonly TarWriteEntry[] = [
  directory('etc/b'),
  file('etc/b/passwd', 'a link became a directory'),
  file('.wh.long'),
  file('usr/bin/ping', 'breaks the hard links up'),
  directory('lib'),
  file('lib/own', 'the link is a directory now'),
];

/**
 * Where umoci leaves the time of the unpack: a directory without an entry, the parent of one (`.`), and a directory
 * below an opaque one that loses something. Here the first is of 1970, and the others keep the time of their entry.
 */
const otherTimes: ReadonlySet<string> = new Set(['é', '.', 'etc/d/e']);

for (const compression of ['gzip', 'none'] satisfies Compression[]) {
  test(`unpack makes the tree that umoci makes (${compression})`, {
    skip: missing({ root: true, commands: ['umoci'] }),
  }, async () => {
    await using temporary = await temporaryDirectory();
    const layout = join(temporary.path, 'layout');
    await using store = await createLayout(layout);
    const layers = [];
    for (const entries of [base, changes, last]) layers.push(await buildLayer(entries, { compression }));
    await writeImage(store, { name: 'weird', layers, config: { Cmd: ['x'] } });
    const umoci = join(temporary.path, 'umoci');
    await output('umoci', ['unpack', '--image', `${layout}:weird`, umoci]);
    const { rootfs } = await unpack(await store.image('weird'), join(temporary.path, 'ours'));
    const differences = compareTrees(await describeTree(join(umoci, 'rootfs')), await describeTree(rootfs));
    assert.deepEqual(
      differences.filter(({ path, field }) => !(field === 'mtimeNs' && otherTimes.has(path))),
      [],
    );
  });
}
