import fc from 'fast-check';
import type { TarWriterEntry } from '../writer-entry.ts';

const segment = fc.oneof(
  fc.string({ minLength: 1, maxLength: 60, unit: 'grapheme' }),
  fc.stringMatching(/^[a-z]{1,120}$/),
);

const path: fc.Arbitrary<string> = fc
  .array(segment, { minLength: 1, maxLength: 4 })
  .map((parts) => parts.map((part) => part.replaceAll(/[/\0]/g, '_')).join('/'))
  .filter((name) => name.isWellFormed() && !name.endsWith('/'));

const id = fc.oneof(fc.nat(3000), fc.constantFrom(0o777777, 0o1000000, 0o7777777, 0o10000000, 0xffff_fffe));

const time = fc.oneof(
  fc.bigInt({ min: 0n, max: 4_000_000_000n }).map((seconds) => seconds * 1_000_000_000n),
  fc.bigInt({ min: -(10n ** 19n), max: 10n ** 19n }),
);

const attributes: fc.Arbitrary<ReadonlyMap<string, Uint8Array>> = fc
  .array(fc.tuple(fc.stringMatching(/^(user|security)\.[a-z]{1,10}$/), fc.uint8Array({ maxLength: 40 })), {
    maxLength: 3,
  })
  .map((pairs) => new Map(pairs));

/** An entry of any kind with its content; names are relative and unlike `.` but else arbitrary. */
export const tarEntry: fc.Arbitrary<{ readonly header: TarWriterEntry; readonly body: Uint8Array }> = fc
  .record({
    name: path,
    type: fc.constantFrom('file', 'link', 'symlink', 'directory', 'character-device', 'block-device', 'fifo'),
    linkname: path,
    mode: fc.nat(0o7777),
    uid: id,
    gid: id,
    uname: fc.oneof(fc.constant(''), fc.stringMatching(/^[a-zé]{1,40}$/)),
    mtimeNs: time,
    xattrs: attributes,
    deviceMajor: fc.nat(4095),
    deviceMinor: fc.nat(0xfffff),
    body: fc.uint8Array({ maxLength: 1200 }),
  })
  .map(({ body, ...header }) => {
    const isLink = header.type === 'link' || header.type === 'symlink';
    return {
      header: {
        ...header,
        type: header.type as NonNullable<TarWriterEntry['type']>,
        linkname: isLink ? header.linkname : '',
      },
      body: header.type === 'file' ? body : new Uint8Array(),
    };
  });
