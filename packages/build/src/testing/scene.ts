import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildLayer, openStore, pathOf, readImageTree, type Store, walkTree, writeImage } from '@ocijs/image';
import { type BuildContext, openContext } from '../context/context.ts';
import { build } from '../executor/build.ts';
import type { BuildEvent, BuildOptions, BuildResult } from '../executor/types.ts';

const busybox = ['/bin/busybox', '/usr/bin/busybox'].find((path) => existsSync(path));
const needsRoot = process.getuid?.() === 0 ? false : 'needs root: RUN mounts an overlay';
/** Why builds that run something cannot be tested here, or false. */
export const skip: string | false = needsRoot || (busybox === undefined ? 'needs busybox' : false);

/** A store with an image `busybox`, and a context. */
export interface Scene extends AsyncDisposable {
  readonly directory: string;
  readonly store: Store;
  readonly context: BuildContext;
  readonly events: BuildEvent[];
  build(dockerfile: string, options?: Partial<BuildOptions>): Promise<BuildResult>;
  files(result: BuildResult): Promise<Readonly<Record<string, string>>>;
}

/** Makes a scene; a text `-> target` makes a link. */
export async function scene(files: Readonly<Record<string, string>> = {}): Promise<Scene> {
  const directory = await mkdtemp(join(tmpdir(), 'oci-build-'));
  const source = join(directory, 'context');
  await mkdir(source);
  for (const [name, text] of Object.entries(files)) {
    await mkdir(join(source, name, '..'), { recursive: true });
    if (text.startsWith('-> ')) await symlink(text.slice(3), join(source, name));
    else await writeFile(join(source, name), text);
    if (name.endsWith('.sh')) await chmod(join(source, name), 0o755);
  }
  const store = await openStore(join(directory, 'store'));
  await busyboxImage(store);
  const context = await openContext(source);
  const events: BuildEvent[] = [];
  return {
    directory,
    store,
    context,
    events,
    build: (dockerfile, options = {}) =>
      build({
        dockerfile,
        context,
        store,
        resolveImage: (name, { platform }) => store.image(name, { platform }),
        onEvent: (event) => events.push(event),
        ...options,
      }),
    async files({ image }) {
      const root = await readImageTree(image);
      const found = [...walkTree(root)].map((node) => {
        const { type, mode, uid, gid } = node.inode.header;
        return [pathOf(node), `${type} ${mode.toString(8)} ${uid}:${gid}`] as const;
      });
      return Object.fromEntries(found);
    },
    async [Symbol.asyncDispose](): Promise<void> {
      context[Symbol.dispose]();
      await store[Symbol.asyncDispose]();
      await rm(directory, { recursive: true });
    },
  };
}

async function busyboxImage(store: Store): Promise<void> {
  if (busybox === undefined) return;
  const body = await readFile(busybox);
  const layer = await buildLayer(
    [
      { header: { name: 'bin/', type: 'directory' } },
      { header: { name: 'bin/busybox', mode: 0o755, size: body.length }, body },
      ...['sh', 'cat', 'id', 'mkdir', 'rm', 'ls', 'echo', 'true', 'ln', 'grep'].map((name) => ({
        header: { name: `bin/${name}`, type: 'symlink' as const, linkname: 'busybox' },
      })),
      { header: { name: 'etc/', type: 'directory' } },
      {
        header: { name: 'etc/passwd', size: 36 },
        body: Buffer.from('root:x:0:0::/:\napp:x:7:8::/home/app:\n'.slice(0, 36)),
      },
      { header: { name: 'tmp/', type: 'directory', mode: 0o1777 } },
      { header: { name: 'tmp/old', size: 3 }, body: Buffer.from('old') },
    ],
    { compression: 'none' },
  );
  await writeImage(store, { name: 'busybox', layers: [layer] });
}
