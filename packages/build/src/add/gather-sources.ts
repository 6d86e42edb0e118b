import { mkdir, mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { openLayeredTree } from '@ocijs/bundle';
import { type CopyRoot, type SelectedSource, selectFiles } from '../copy/select-files.ts';
import type { CopyInstruction } from '../dockerfile/instructions/types.ts';
import { parseGitReference } from '../git/git-reference.ts';
import type { SourceRecord } from '../sources/source-record.ts';
import { withoutCredentials } from '../without-credentials.ts';
import { isArchive } from './archive.ts';
import type { Secrets } from './credentials.ts';
import { checkoutGit } from './git-checkout.ts';
import { fetchRemoteFile, isRemoteFile } from './remote-file.ts';

/** What `COPY` and `ADD` bring. */
export interface GatheredSources {
  readonly files: readonly SelectedSource[];
  /** To be unpacked. */
  readonly archives: readonly SelectedSource[];
}

export interface GatherOptions {
  /** What local sources are taken from. */
  readonly root: CopyRoot;
  /** Where downloads are put. */
  readonly scratch: string;
  /** Told of what is fetched, with its digest. */
  readonly sources: SourceRecord;
  /** Those that servers ask for. */
  readonly secrets?: Secrets | undefined;
  /** Closed when the sources have been read. */
  readonly resources: DisposableStack;
  readonly signal?: AbortSignal | undefined;
}

/** Finds local sources and fetches remote ones. Archives are told apart for `ADD`: local ones are unpacked, remote ones if asked. */
export async function gatherSources(
  instruction: CopyInstruction,
  options: GatherOptions,
): Promise<GatheredSources> {
  const { exclude, parents } = instruction;
  const files: SelectedSource[] = [];
  const archives: SelectedSource[] = [];
  for (const source of instruction.sources) {
    const remote = instruction.kind === 'add' ? await fetchSource(source, instruction, options) : undefined;
    const selected = remote ?? selectFiles(options.root, source, { exclude, parents });
    const unpacks = instruction.kind === 'add' && (instruction.unpack ?? remote === undefined);
    for (const one of selected) (unpacks && (await isArchive(one)) ? archives : files).push(one);
  }
  return { files, archives };
}

async function fetchSource(
  source: string,
  instruction: CopyInstruction,
  options: GatherOptions,
): Promise<readonly SelectedSource[] | undefined> {
  const git = parseGitReference(source);
  if (!isRemoteFile(source) && (git === undefined || git.mayBeLocal)) return undefined;
  const directory = join(await mkdtemp(join(options.scratch, 'add-')), 'source');
  await mkdir(directory);
  const { checksum, keepGitDirectory, exclude } = instruction;
  const { secrets, signal } = options;
  const shared = { directory, checksum, secrets, signal };
  let name = `${git?.subdirectory ?? ''}/`;
  if (git === undefined) {
    const file = await fetchRemoteFile(source, shared);
    options.sources.note({ type: 'http', name: source, digest: file.digest });
    ({ name } = file);
  } else {
    const commit = await checkoutGit(git, { ...shared, keepGitDirectory });
    options.sources.note({ type: 'git', name: source, digest: commit });
  }
  const tree = options.resources.use(openLayeredTree([directory], 'trusted'));
  return selectFiles({ tree, label: withoutCredentials(source) }, name, { exclude, parents: false });
}
