import { MAX_NODE_LOCK_BYTES } from '../../limits.ts';
import type { PackageManifest } from '../project/package-manifest.ts';
import { lockInvalid, type NodeLock } from './node-lock.ts';
import { createYarnLock, type YarnEntry } from './yarn-lock.ts';

/**
 * Reads `yarn.lock` of yarn 1. `members` are the projects of the repository, by name: the file does not have them.
 *
 * @throws BuildError `ERR_OCI_NODE_LOCK_INVALID`
 */
export function parseYarnClassicLock(
  bytes: Uint8Array,
  file: string,
  { root, members }: { readonly root: PackageManifest; readonly members: ReadonlyMap<string, string> },
): NodeLock {
  if (bytes.length > MAX_NODE_LOCK_BYTES)
    throw lockInvalid(file, `is larger than ${MAX_NODE_LOCK_BYTES} bytes`);
  const entries = new Map<string, YarnEntry>();
  for (const block of readBlocks(Buffer.from(bytes).toString('utf8'), file)) {
    const [first = ''] = block.patterns;
    const resolved = block.fields.get('resolved') ?? '';
    const entry: YarnEntry = {
      id: first,
      name: nameOf(first),
      version: block.fields.get('version'),
      origin: /^https?:[^#]*\.tgz(?:#.*)?$/.test(resolved) ? 'registry' : 'other',
      directory: undefined,
      dependencies: block.dependencies,
      optional: block.optional,
    };
    for (const pattern of block.patterns) entries.set(pattern, entry);
  }
  return createYarnLock(entries, { file, root, members });
}

/** Of `alias@npm:name@range` the name is the package's own. */
function nameOf(pattern: string): string | undefined {
  const [, alias] = /^.+?@npm:((?:@[^/]+\/)?[^@]+)/.exec(pattern) ?? [];
  return alias ?? /^((?:@[^/]+\/)?[^@]+)@/.exec(pattern)?.[1];
}

interface Block {
  readonly patterns: readonly string[];
  readonly fields: Map<string, string>;
  readonly dependencies: Map<string, string>;
  readonly optional: Set<string>;
}

/** The file's own form: blocks by indentation, words or texts in quotation marks. */
function readBlocks(text: string, file: string): readonly Block[] {
  const blocks: Block[] = [];
  let section = '';
  for (const [index, raw] of text.split(/\r?\n/).entries()) {
    const line = raw.trimEnd();
    if (line === '' || line.trimStart().startsWith('#')) continue;
    const depth = /^ */.exec(line)?.[0].length ?? 0;
    const words = wordsOf(line.trim());
    const block = blocks.at(-1);
    const refuse = () => lockInvalid(file, `cannot be read in line ${index + 1}`);
    if (words === undefined || words.length === 0) throw refuse();
    const [name = '', value] = words;
    if (depth === 0 && line.endsWith(':'))
      blocks.push({ patterns: words, fields: new Map(), dependencies: new Map(), optional: new Set() });
    else if (block === undefined) throw refuse();
    else if (depth === 2 && value === undefined && line.endsWith(':')) section = name;
    else if (depth === 2 && value !== undefined) block.fields.set(name, value);
    else if (depth === 4 && value !== undefined && /^(?:optionalD|d)ependencies$/.test(section)) {
      block.dependencies.set(name, value);
      if (section === 'optionalDependencies') block.optional.add(name);
    } else if (depth !== 4 || value === undefined) throw refuse();
  }
  return blocks;
}

/** The words of a line, without commas and the colon at its end; `undefined` when a quotation mark stands alone. */
function wordsOf(line: string): readonly string[] | undefined {
  const words: string[] = [];
  const pattern = /\s*(?:("(?:[^"\\]|\\.)*")|([^\s,:"][^\s,]*?)(?=:?$|[\s,]))\s*(?:,|:$)?/gy;
  while (pattern.lastIndex < line.length) {
    const [, quoted, word] = pattern.exec(line) ?? [];
    if (quoted === undefined && word === undefined) return undefined;
    try {
      words.push(quoted === undefined ? (word ?? '') : String(JSON.parse(quoted)));
    } catch {
      return undefined;
    }
  }
  return words;
}
