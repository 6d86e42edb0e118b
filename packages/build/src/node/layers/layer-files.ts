import { createHash } from 'node:crypto';
import { posix } from 'node:path';
import type { TarWriteEntry } from '@ocijs/image';
import { readFile } from '../../copy/layer-entries.ts';
import type { CopyRoot } from '../../copy/select-files.ts';
import type { LayerFiles } from '../../dockerfile/instructions/types.ts';
import type { NodeFile } from './node-file.ts';

export interface NodeLayerOptions {
  readonly root: Pick<CopyRoot, 'tree' | 'label'>;
  /** Where the root of the repository is in the image, without a slash at the start. */
  readonly prefix: string;
  /** Of everything in the layer, in seconds since 1970. */
  readonly time: number;
}

/** The layer of some files: they belong to root, who alone may write; the directories above them come along. */
export function nodeLayer(files: readonly NodeFile[], { root, prefix, time }: NodeLayerOptions): LayerFiles {
  const placed = files
    .map((one) => ({ one, name: `${prefix}/${one.path}` }))
    .sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)));
  const shared = { uid: 0, gid: 0, mtimeNs: BigInt(time) * 1_000_000_000n };
  const entryOf = (name: string, one: NodeFile): TarWriteEntry => {
    if (one.kind === 'link')
      return { header: { ...shared, name, type: 'symlink', mode: 0o777, linkname: one.target } };
    const { size } = one.file.status;
    return {
      header: { ...shared, name, type: 'file', mode: modeOf(one), size },
      body: size === 0 ? undefined : readFile(root, one.file),
    };
  };
  return {
    async digest({ signal }) {
      const hash = createHash('sha256').update(JSON.stringify(['node', prefix, time]));
      for (const { one, name } of placed) {
        signal?.throwIfAborted();
        if (one.kind === 'link') hash.update(JSON.stringify([name, one.target]));
        else {
          hash.update(JSON.stringify([name, modeOf(one), one.file.status.size]));
          if (one.file.status.size > 0)
            for await (const chunk of readFile(root, one.file)) hash.update(chunk);
        }
      }
      return hash.digest('hex');
    },
    async *entries({ signal }) {
      const made = new Set<string>();
      for (const { one, name } of placed) {
        signal?.throwIfAborted();
        for (const parent of parentsOf(name)) {
          if (made.has(parent)) continue;
          made.add(parent);
          yield { header: { ...shared, name: parent, type: 'directory', mode: 0o755 } };
        }
        yield entryOf(name, one);
      }
    },
  };
}

function modeOf({ isExecutable }: { readonly isExecutable: boolean }): number {
  return isExecutable ? 0o755 : 0o644;
}

/** The directories above a path, the outer ones first. */
function parentsOf(path: string): readonly string[] {
  const parents: string[] = [];
  for (let at = posix.dirname(path); at !== '.'; at = posix.dirname(at)) parents.unshift(at);
  return parents;
}
