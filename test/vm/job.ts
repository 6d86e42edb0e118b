import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What tests import besides, of the repository's own development dependencies. */
const testLibraries = ['ajv', 'fast-check'];

/** What is left out of a package's directory: only sources and the native init are needed. */
const leftOut = ['dist/*.js', 'testdata/**/large', '.tsbuildinfo'];

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/** The packages of others that some packages and their tests need, and those that they need in turn. */
function dependenciesOf(repository: string, names: readonly string[]): string[] {
  const found = new Set<string>();
  const add = (name: string): void => {
    const path = `node_modules/${name}`;
    if (name.startsWith('@ocijs/') || found.has(path) || !existsSync(join(repository, path))) return;
    found.add(path);
    visit(path);
  };
  const visit = (directory: string): void => {
    const file = join(repository, directory, 'package.json');
    if (!existsSync(file)) return;
    const { dependencies, optionalDependencies } = JSON.parse(readFileSync(file, 'utf8')) as Manifest;
    for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) add(name);
  };
  for (const name of names) visit(`packages/${name}`);
  for (const name of testLibraries) add(name);
  return [...found];
}

/**
 * Packs what the tests of some packages need: sources, the native programs, dependencies and this Node; and the command that
 * runs them.
 */
export function packJob(options: {
  readonly repository: string;
  readonly packages: readonly string[];
  readonly command: string;
  readonly directory: string;
}): string {
  const { repository, packages, command, directory } = options;
  const file = join(directory, 'job.tar');
  writeFileSync(join(directory, 'command'), command);
  const own = packages.flatMap((name) =>
    ['src', 'bin', 'native', 'package.json', 'dist/native']
      .map((path) => `packages/${name}/${path}`)
      .filter((path) => existsSync(join(repository, path))),
  );
  const links = packages.map((name) => `node_modules/@ocijs/${name}`);
  const paths = [
    ...own,
    'package.json',
    'scripts/test-reporter.mjs',
    'test/vm',
    'test/package.json',
    ...dependenciesOf(repository, packages),
  ];
  const tar = (...rest: string[]): void => void execFileSync('tar', rest, { cwd: repository });
  // What node_modules links to outside of the repository is packed as it is there; our own packages stay links.
  tar('cf', file, '--dereference', ...leftOut.map((pattern) => `--exclude=${pattern}`), ...paths);
  tar('rf', file, ...links);
  tar('rf', file, '-C', directory, 'command');
  tar('rf', file, '--transform=s,.*,node,', '--absolute-names', '--dereference', process.execPath);
  return file;
}
