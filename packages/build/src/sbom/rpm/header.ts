import type { FoundPackage } from '../package.ts';

const tags = { name: 1000, version: 1001, release: 1002, epoch: 1003, license: 1014, architecture: 1022 };
const sourceTag = 1044;

/** Types of values. */
const INT32 = 4;
const STRINGS: ReadonlySet<number> = new Set([6, 8, 9]);

/**
 * The package that a header of rpm's database describes; `undefined` for one without a name.
 *
 * @see https://rpm-software-management.github.io/rpm/manual/format_header.html
 */
export function readRpmHeader(blob: Buffer, location: string): FoundPackage | undefined {
  const count = blob.readUInt32BE(0);
  const data = 8 + count * 16;
  if (data > blob.length) throw new RangeError('an rpm header is cut off');
  const values = new Map<number, string>();
  for (let index = 0; index < count; index++) {
    const entry = 8 + index * 16;
    const [tag, type] = [blob.readUInt32BE(entry), blob.readUInt32BE(entry + 4)];
    const at = data + blob.readUInt32BE(entry + 8);
    if (at >= blob.length) continue;
    if (type === INT32 && at + 4 <= blob.length) values.set(tag, String(blob.readUInt32BE(at)));
    else if (STRINGS.has(type)) values.set(tag, textAt(blob, at));
  }
  const [name, version] = [values.get(tags.name), values.get(tags.version)];
  // Keys that were imported are in the same table.
  if (name === undefined || version === undefined || name === 'gpg-pubkey') return undefined;
  const [epoch, release] = [values.get(tags.epoch), values.get(tags.release)];
  return {
    type: 'rpm',
    name,
    version: `${epoch === undefined ? '' : `${epoch}:`}${version}${release === undefined ? '' : `-${release}`}`,
    architecture: values.get(tags.architecture),
    license: values.get(tags.license),
    source: values.get(sourceTag),
    location,
  };
}

function textAt(blob: Buffer, start: number): string {
  const end = blob.indexOf(0, start);
  return blob.toString('utf8', start, end < 0 ? blob.length : end);
}
