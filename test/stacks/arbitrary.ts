import type { TarWriteEntry } from '@ocijs/image';
import fc from 'fast-check';

type Header = TarWriteEntry['header'];

/** The entries of a layer. */
export type StackLayer = readonly TarWriteEntry[];

/** Few names, so that layers meet each other. */
const name = fc.constantFrom('a', 'b', 'c', 'd');
const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((names) => names.join('/'));
const target = fc.oneof(
  path,
  path.map((found) => `/${found}`),
  path.map((found) => `../${found}`),
  fc.constantFrom('.', '..', '/', '../../../../etc', 'a/../b'),
);
const times = fc
  .integer({ min: -10, max: 1_600_000_000 })
  .map((seconds) => BigInt(seconds) * 1_000_000_000n + 7n);
const owner = fc.constantFrom(0, 0, 0, 5, 1_000);
const mode = fc.constantFrom(0o644, 0o755, 0o600, 0o444, 0o4755, 0o2755, 0o1777, 0o2775, 0o666, 0o777);

const common = fc.record({ mtimeNs: times, uid: owner, gid: owner, mode });
const file = fc
  .record({ header: common, path, text: fc.string({ maxLength: 20 }) })
  .map(({ header, path: found, text }) => entry({ ...header, name: found, type: 'file' }, text));
const directory = fc
  .record({ header: common, path })
  .map(({ header, path: found }) => entry({ ...header, name: found, type: 'directory' }));
const symlink = fc
  .record({ header: common, path, linkname: target })
  .map(({ header, path: found, linkname }) =>
    entry({ ...header, mode: 0o777, name: found, linkname, type: 'symlink' }),
  );
const link = fc
  .record({ header: common, path, linkname: path })
  .map(({ header, path: found, linkname }) => entry({ ...header, name: found, linkname, type: 'link' }));
const fifo = fc
  .record({ header: common, path })
  .map(({ header, path: found }) => entry({ ...header, name: found, type: 'fifo' }));
const whiteout = path.map((found) => entry({ name: hidden(found), type: 'file', mtimeNs: 0n }));
const opaque = fc
  .option(path)
  .map((found) =>
    entry({ name: `${found === null ? '' : `${found}/`}.wh..wh..opq`, type: 'file', mtimeNs: 0n }),
  );

/** Layers of files, directories, links, fifos and whiteouts that replace and hide each other; a part of them is not valid. */
export function stackOf({
  layers,
  entries,
}: {
  readonly layers: number;
  readonly entries: number;
}): fc.Arbitrary<readonly StackLayer[]> {
  const any = fc.oneof(
    { weight: 5, arbitrary: file },
    { weight: 4, arbitrary: directory },
    { weight: 2, arbitrary: symlink },
    { weight: 2, arbitrary: link },
    { weight: 1, arbitrary: fifo },
    { weight: 2, arbitrary: whiteout },
    { weight: 1, arbitrary: opaque },
  );
  const stack = fc.array(fc.array(any, { minLength: 1, maxLength: entries }), {
    minLength: 1,
    maxLength: layers,
  });
  return fc.oneof({ weight: 1, arbitrary: stack }, { weight: 9, arbitrary: stack.map(repair) });
}

/** Leaves out what mostly makes a layer invalid: entries below a file of the same layer, and hard links to nothing. */
function repair(stack: readonly StackLayer[]): readonly StackLayer[] {
  const there = new Set<string>();
  return stack.map((layer) => {
    const files = new Set<string>();
    return layer.filter(({ header }) => {
      const parents = prefixes(header.name);
      if (parents.some((parent) => files.has(parent))) return false;
      if (header.name.includes('.wh.')) {
        forget(there, header.name);
        return true;
      }
      if (header.type === 'link' && (header.linkname === header.name || !there.has(header.linkname ?? '')))
        return false;
      for (const parent of parents) there.delete(parent);
      forget(there, header.name);
      if (header.type === 'directory') return true;
      files.add(header.name);
      if (header.type === 'file' || header.type === 'link') there.add(header.name);
      return true;
    });
  });
}

function prefixes(found: string): readonly string[] {
  const names = found.split('/');
  return names.slice(1).map((_, index) => names.slice(0, index + 1).join('/'));
}

/** Forgets a name, or what a whiteout hides, and all below. */
function forget(there: Set<string>, found: string): void {
  const gone = found.replace('.wh..wh..opq', '').replace('.wh.', '').replace(/\/$/, '');
  for (const known of there)
    if (known === gone || gone === '' || known.startsWith(`${gone}/`)) there.delete(known);
}

function entry(header: Header, text?: string): TarWriteEntry {
  return text === undefined ? { header } : { header, body: Buffer.from(text) };
}

function hidden(found: string): string {
  const slash = found.lastIndexOf('/');
  return `${found.slice(0, slash + 1)}.wh.${found.slice(slash + 1)}`;
}
