import type { LayeredTree } from '@ocijs/bundle';
import { isDirectoryFile } from '../../copy/select-files.ts';
import { BuildError } from '../../errors.ts';
import type { Installation } from '../installed/installation.ts';
import { createModuleFinder } from '../installed/module-finder.ts';
import { firstBytes } from '../project/first-bytes.ts';
import type { PackageManifest } from '../project/package-manifest.ts';
import { insideRoot, join } from '../project/paths.ts';

/** What a container of the project starts, from the project's directory. */
export interface StartCommand {
  /** Words after `node`: its flags, a file, arguments. */
  readonly words: readonly string[];
  /** Variables that the script sets before. */
  readonly environment: Readonly<Record<string, string>>;
}

export interface StartCommandOptions {
  readonly tree: LayeredTree;
  readonly directory: string;
  readonly manifest: PackageManifest;
  readonly installation: Installation;
  /** True for a file that is in the image. */
  readonly isIncluded: (path: string) => boolean;
}

/**
 * Finds out what starts a project: `scripts.start` when it is one command of Node or of a package's program, else `main`, a
 * single `bin`, `server.js` (as npm), or `index.js`.
 *
 * @throws BuildError `ERR_OCI_NODE_START_UNKNOWN` when that is not clear, or the file is not there.
 */
export function findStartCommand(options: StartCommandOptions): StartCommand {
  const { manifest } = options;
  const script = manifest.scripts.get('start');
  if (script !== undefined) return fromScript(script, options);
  const [program, ...others] = manifest.bin.values();
  const chosen = manifest.main ?? (others.length === 0 ? program : undefined);
  if (chosen !== undefined) return { words: [existing(chosen, options)], environment: {} };
  const found = ['server.js', 'index.js'].find((name) => fileOf(name, options) !== undefined);
  if (found === undefined)
    throw unknown('package.json has no scripts.start and no main, and there is no server.js');
  return { words: [existing(found, options)], environment: {} };
}

function fromScript(script: string, options: StartCommandOptions): StartCommand {
  const words = wordsOf(script);
  if (words === undefined) throw unknown(`scripts.start is more than one command: ${script}`);
  const count = words.findIndex((word) => !/^[A-Za-z_]\w*=/.test(word));
  const assignments = count < 0 ? words : words.slice(0, count);
  const environment = Object.fromEntries(
    assignments.map((word) => [word.slice(0, word.indexOf('=')), word.slice(word.indexOf('=') + 1)]),
  );
  const [command = '', ...rest] = words.slice(assignments.length);
  if (/^(?:.*\/)?node$/.test(command)) {
    const at = rest.findIndex((word, index) => !word.startsWith('-') && !takesValue(rest[index - 1]));
    if (at < 0) throw unknown(`scripts.start names no file: ${script}`);
    return {
      words: [...rest.slice(0, at), existing(rest[at] ?? '', options), ...rest.slice(at + 1)],
      environment,
    };
  }
  const program = programOf(command, options);
  if (program === undefined)
    throw unknown(`scripts.start runs ${command || 'nothing'}, which no production dependency brings along`);
  return { words: [program, ...rest], environment };
}

/** Flags of Node whose value is the next word. */
function takesValue(flag: string | undefined): boolean {
  return (
    flag !== undefined &&
    /^(?:-r|--require|--import|--loader|--experimental-loader|-C|--conditions|--env-file|--title)$/.test(flag)
  );
}

/** The file of a program in `.bin`, if Node runs it. */
function programOf(
  command: string,
  { tree, directory, installation }: StartCommandOptions,
): string | undefined {
  const finder = createModuleFinder(tree);
  for (const { manifest, directory: place } of installation.packages) {
    const file = manifest.bin.get(command);
    const path = file === undefined ? undefined : insideRoot(place, file);
    if (path === undefined || manifest.name === undefined) continue;
    const found = finder.find(directory, manifest.name);
    if (found?.directory !== place || !isForNode(tree, path)) continue;
    return relative(directory, join(found.path, path.slice(place.length + 1)));
  }
  return undefined;
}

/** Of a script that says so in its first line. */
function isForNode(tree: LayeredTree, path: string): boolean {
  const { file } = tree.resolve(path, { followLast: true });
  if (file === undefined || (file.status.mode & 0o170000) !== 0o100000) return false;
  return /^#!.*\bnode\b/.test(firstBytes(tree, file, 256).toString('latin1').split('\n')[0] ?? '');
}

/** The file that Node means by a path, relative to the project: with its ending, or the index of a directory. */
function fileOf(path: string, { tree, directory }: StartCommandOptions): string | undefined {
  const place = insideRoot(directory, path);
  if (place === undefined) return undefined;
  const candidates = [
    '',
    '.js',
    '.json',
    '.node',
    '.cjs',
    '.mjs',
    '/index.js',
    '/index.cjs',
    '/index.mjs',
  ].map((end) => `${place}${end}`);
  return candidates.find((one) => {
    const { file } = tree.resolve(one, { followLast: true });
    return file !== undefined && !isDirectoryFile(file);
  });
}

function existing(path: string, options: StartCommandOptions): string {
  const found = fileOf(path, options);
  if (found === undefined)
    throw unknown(
      `${path}, which starts the project, is not there`,
      'build the project first, for example with `npm run build`',
    );
  if (!options.isIncluded(found))
    throw unknown(
      `${path}, which starts the project, is excluded from the image`,
      'take it back in .dockerignore (!pattern), or write package.json.dockerignore, which goes before it',
    );
  return relative(options.directory, found);
}

function relative(directory: string, path: string): string {
  if (directory === '.') return path;
  if (path.startsWith(`${directory}/`)) return path.slice(directory.length + 1);
  return `${directory
    .split('/')
    .map(() => '..')
    .join('/')}/${path}`;
}

/** The words of a command line; `undefined` when it takes a shell to understand it. */
function wordsOf(line: string): readonly string[] | undefined {
  const words: string[] = [];
  const pattern = /\s*((?:[^\s"'\\$`&|;<>()*?#~{}[\]!]|'[^']*'|"[^"\\$`]*")+)/gy;
  const text = line.trim();
  while (pattern.lastIndex < text.length) {
    const [, word] = pattern.exec(text) ?? [];
    if (word === undefined) return undefined;
    words.push(word.replace(/'([^']*)'|"([^"]*)"/g, '$1$2'));
  }
  return words.length === 0 ? undefined : words;
}

function unknown(
  message: string,
  hint = 'say it with --entrypoint, for example \'["node", "server.js"]\'',
): BuildError {
  return new BuildError('ERR_OCI_NODE_START_UNKNOWN', message, { hint });
}
