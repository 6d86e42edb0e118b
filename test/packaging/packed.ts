import { mkdir, readFile, symlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { output } from '../kit/command.ts';

/** The repository's root, with a slash. */
export const root: string = fileURLToPath(new URL('../..', import.meta.url));

/** The packages that are published, in the order of their dependencies. */
export const published = ['image', 'linux', 'registry', 'bundle', 'runtime', 'build', 'cli'] as const;

/** A package as `npm pack` makes it. */
export interface Tarball {
  readonly name: (typeof published)[number];
  readonly path: string;
  /** Paths in the package. */
  readonly files: readonly string[];
}

export interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly bin?: Readonly<Record<string, string>>;
  readonly exports: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** Packs all packages into a directory, as they are built. */
export async function packAll(directory: string): Promise<readonly Tarball[]> {
  const args = ['pack', '--ignore-scripts', '--json', '--pack-destination', directory];
  const text = await output('npm', [...args, ...published.flatMap((name) => ['-w', `@ocijs/${name}`])], {
    cwd: root,
  });
  const packed = Object.values(JSON.parse(text)) as {
    name: string;
    filename: string;
    files: { path: string }[];
  }[];
  return published.map((name) => {
    const found = packed.find((entry) => entry.name === `@ocijs/${name}`);
    if (found === undefined) throw new Error(`npm pack did not pack ${name}`);
    const path = `${directory}/${found.filename.replace('@ocijs/', 'ocijs-')}`;
    return { name, path, files: found.files.map((file) => file.path) };
  });
}

export async function manifestOf(name: string): Promise<Manifest> {
  return JSON.parse(await readFile(`${root}packages/${name}/package.json`, 'utf8')) as Manifest;
}

/**
 * Puts the tarballs where npm would, in a project of their own, with the repository's copies of what others made: nothing
 * is asked of the network, and nothing of ours is found but what was packed.
 */
export async function install(tarballs: readonly Tarball[], project: string): Promise<void> {
  for (const { name, path } of tarballs) {
    const target = `${project}/node_modules/@ocijs/${name}`;
    await mkdir(target, { recursive: true });
    await output('tar', ['-xzf', path, '--strip-components=1', '-C', target]);
    const { dependencies, optionalDependencies } = await manifestOf(name);
    for (const dependency of Object.keys({ ...dependencies, ...optionalDependencies })) {
      if (!dependency.startsWith('@ocijs/')) await link(dependency, project);
    }
  }
}

async function link(dependency: string, project: string): Promise<void> {
  const target = `${project}/node_modules/${dependency}`;
  await mkdir(dirname(target), { recursive: true });
  await symlink(`${root}node_modules/${dependency}`, target).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
}
