import { createHash, type Hash } from 'node:crypto';
import { posix } from 'node:path';
import type { TarWriteEntry } from '@ocijs/image';
import { readFile } from '../../copy/layer-entries.ts';
import type { CopyRoot } from '../../copy/select-files.ts';
import type { LayerFiles } from '../../dockerfile/instructions/types.ts';
import { BuildError } from '../../errors.ts';
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
  let known: string | undefined;
  const start = (): Hash => createHash('sha256').update(JSON.stringify(['node', prefix, time]));

  /** The content of a file, whose bytes go into the digest on their way. */
  async function* content(
    { file }: NodeFile & { readonly kind: 'file' },
    hash: Hash,
  ): AsyncGenerator<Uint8Array> {
    if (file.status.size === 0) return;
    for await (const chunk of readFile(root, file)) {
      hash.update(chunk);
      yield chunk;
    }
  }

  function entryOf({ one, name }: (typeof placed)[number], hash: Hash): TarWriteEntry {
    if (one.kind === 'link') {
      hash.update(JSON.stringify([name, one.target]));
      return { header: { ...shared, name, type: 'symlink', mode: 0o777, linkname: one.target } };
    }
    const { size } = one.file.status;
    hash.update(JSON.stringify([name, modeOf(one), size]));
    return {
      header: { ...shared, name, type: 'file', mode: modeOf(one), size },
      body: size === 0 ? undefined : content(one, hash),
    };
  }

  return {
    async digest({ signal }) {
      const hash = start();
      for (const place of placed) {
        signal?.throwIfAborted();
        const { body } = entryOf(place, hash);
        if (body !== undefined) for await (const _chunk of body) signal?.throwIfAborted();
      }
      known = hash.digest('hex');
      return known;
    },
    async *entries({ signal }) {
      const hash = start();
      const made = new Set<string>();
      for (const place of placed) {
        signal?.throwIfAborted();
        for (const parent of parentsOf(place.name)) {
          if (made.has(parent)) continue;
          made.add(parent);
          yield { header: { ...shared, name: parent, type: 'directory', mode: 0o755 } };
        }
        yield entryOf(place, hash);
      }
      // A later build would take the layer for one of the files as they were before.
      if (known !== undefined && hash.digest('hex') !== known)
        throw new BuildError(
          'ERR_OCI_BUILD_FILE_UNREADABLE',
          `files of ${root.label} changed while they were read`,
          {
            hint: 'build again when nobody changes the files',
          },
        );
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
