import {
  digestFiles,
  fileContents,
  type ImageSource,
  pathOf,
  readImageTree,
  type TreeNode,
  walkTree,
} from '@ocijs/image';

/** What an image is, in texts that can be compared: files without their times, and the configuration. */
export interface ImageDescription {
  /** By path: `type mode owner` and content, target or device. */
  readonly files: ReadonlyMap<string, string>;
  readonly config: ReadonlyMap<string, string>;
}

/** Describes an image. Contents are digests, hard links the first of their names. */
export async function describeImage(image: ImageSource): Promise<ImageDescription> {
  const nodes = [...walkTree(await readImageTree(image))];
  const digests = await digestFiles(
    image,
    nodes.map(({ inode }) => inode).filter(({ header }) => header.type === 'file' && header.size > 0),
  );
  const first = new Map<TreeNode['inode'], string>();
  const files = nodes.map((node) => {
    const { inode } = node;
    const { type, mode, uid, gid, linkname, deviceMajor, deviceMinor } = inode.header;
    const path = pathOf(node);
    const link = first.get(inode);
    if (link === undefined) first.set(inode, path);
    const content = {
      file: digests.get(inode) ?? 'empty',
      symlink: linkname,
      'character-device': `${deviceMajor}:${deviceMinor}`,
      'block-device': `${deviceMajor}:${deviceMinor}`,
    }[type as string];
    const shown = type === 'symlink' ? 'symlink' : `${type} ${mode.toString(8)}`;
    const parts = [shown, `${uid}:${gid}`, content, link === undefined ? undefined : `same as ${link}`];
    return [path || '.', parts.filter((part) => part !== undefined).join(' ')] as const;
  });
  return { files: new Map(files), config: describeConfig(image) };
}

/** `type mode owner content` of the files that are asked for. */
export async function describeFiles(
  image: ImageSource,
  paths: readonly string[],
): Promise<Readonly<Record<string, string>>> {
  const nodes = [...walkTree(await readImageTree(image))].filter((node) => paths.includes(pathOf(node)));
  const contents = new Map<unknown, string>();
  const inodes = nodes.map(({ inode }) => inode).filter(({ header }) => header.type === 'file');
  for await (const { inode, body } of fileContents(image, inodes)) {
    const chunks: Uint8Array[] = [];
    for await (const chunk of body) chunks.push(chunk);
    contents.set(inode, Buffer.concat(chunks).toString());
  }
  return Object.fromEntries(
    nodes.map((node) => {
      const { type, mode, uid, gid } = node.inode.header;
      const content = contents.get(node.inode);
      const shown = `${type} ${mode.toString(8)} ${uid}:${gid}`;
      return [pathOf(node), content === undefined ? shown : `${shown} ${content}`];
    }),
  );
}

function describeConfig({ config: { author, config = {} } }: ImageSource): ReadonlyMap<string, string> {
  const { Labels = {}, ExposedPorts = {}, Volumes = {}, WorkingDir, ...rest } = config;
  const { 'io.buildah.version': _version, ...labels } = Labels;
  const fields = {
    author,
    ...Object.fromEntries(
      (['Env', 'Cmd', 'Entrypoint', 'User', 'StopSignal', 'Healthcheck', 'Shell', 'OnBuild'] as const).map(
        (name) => [name, rest[name]],
      ),
    ),
    WorkingDir: WorkingDir === '/' ? '' : WorkingDir,
    Labels: Object.entries(labels).sort(),
    ExposedPorts: Object.keys(ExposedPorts).sort(),
    Volumes: Object.keys(Volumes).sort(),
  };
  return new Map(
    Object.entries(fields).flatMap(([name, value]) => {
      const isEmpty =
        value === undefined || value === null || value === '' || Object.keys(value).length === 0;
      return isEmpty ? [] : [[name, JSON.stringify(sorted(value))] as const];
    }),
  );
}

/** Members in the order of their names. */
function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort());
}

/** What differs, a line for each path and field. */
export function compareDescriptions(ours: ImageDescription, theirs: ImageDescription): readonly string[] {
  return [
    ...compareMaps('', ours.files, theirs.files),
    ...compareMaps('config ', ours.config, theirs.config),
  ];
}

function compareMaps(
  prefix: string,
  ours: ReadonlyMap<string, string>,
  theirs: ReadonlyMap<string, string>,
): readonly string[] {
  return [...new Set([...ours.keys(), ...theirs.keys()])]
    .sort()
    .filter((name) => ours.get(name) !== theirs.get(name))
    .map(
      (name) => `${prefix}${name}: ${ours.get(name) ?? 'nothing'}, buildah ${theirs.get(name) ?? 'nothing'}`,
    );
}
