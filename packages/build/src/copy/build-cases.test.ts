import assert from 'node:assert/strict';
import { createReadStream, readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { digestFiles, pathOf, readImageTree, walkTree } from '@ocijs/image';
import { openRemoteContext } from '../context/remote-context.ts';
import type { BuildResult } from '../executor/types.ts';
import { scene } from '../testing/scene.ts';

interface BuildCase {
  readonly name: string;
  readonly context: string;
  readonly dockerfile: string;
  readonly buildah: {
    readonly config: { readonly Env: readonly string[] };
    readonly files: Readonly<Record<string, FileEntry>>;
  };
}

interface FileEntry {
  readonly type: string;
  readonly mode?: string;
  readonly uid: number;
  readonly gid: number;
  readonly sha256?: string;
  readonly target?: string;
}

const directory = new URL('./testdata/build-cases/', import.meta.url);
const { cases } = JSON.parse(readFileSync(new URL('cases.json', directory), 'utf8')) as {
  cases: readonly BuildCase[];
};

async function filesOf({ image }: BuildResult): Promise<Readonly<Record<string, FileEntry>>> {
  const nodes = [...walkTree(await readImageTree(image))].filter((node) => pathOf(node) !== '');
  const files = nodes.map(({ inode }) => inode).filter(({ header }) => header.type === 'file');
  const digests = await digestFiles(image, files);
  return Object.fromEntries(
    nodes.map((node) => {
      const { type, mode, uid, gid, linkname } = node.inode.header;
      const kind = { directory: 'dir', symlink: 'symlink' }[type as string] ?? type;
      const sha256 = digests.get(node.inode)?.slice('sha256:'.length);
      return [
        pathOf(node),
        {
          type: kind,
          ...(type === 'symlink' ? {} : { mode: `0o${mode.toString(8)}` }),
          uid,
          gid,
          ...(sha256 === undefined ? {} : { sha256 }),
          ...(type === 'symlink' ? { target: linkname } : {}),
        },
      ];
    }),
  );
}

/** Where we decide otherwise. */
const others: readonly string[] = [
  // The directory tmp is a trace of how buildah unpacks.
  'tar-g',
  // A link does not replace a directory with all that is in it: BuildKit refuses as well.
  'replace-symlink-with-directory-subdir',
  // A directory is copied through a link of the image, which stays: systems have /lib -> usr/lib.
  'replace-directory-with-symlink-subdir',
];

describe("cases of buildah's conformance suite, with archives as contexts", () => {
  for (const { name, context: archive, dockerfile, buildah } of cases.filter(
    (one) => !others.includes(one.name),
  ))
    test(name, async () => {
      await using at = await scene();
      await using remote = await openRemoteContext('-', {
        store: at.store,
        input: createReadStream(new URL(archive, directory)),
      });
      assert.ok(remote);
      const result = await at.build(dockerfile, { context: remote.context });
      const expected = Object.fromEntries(
        Object.entries(buildah.files).map(([path, { type, mode, uid, gid, sha256, target }]) => [
          path,
          {
            type,
            ...(mode === undefined ? {} : { mode }),
            uid,
            gid,
            ...(sha256 === undefined ? {} : { sha256 }),
            ...(target === undefined ? {} : { target }),
          },
        ]),
      );
      assert.deepEqual(await filesOf(result), expected);
      assert.deepEqual(result.image.config.config?.Env, buildah.config.Env);
    });
});
