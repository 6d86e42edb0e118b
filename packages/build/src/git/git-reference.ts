import { BuildError } from '../errors.ts';
import { withoutCredentials } from '../without-credentials.ts';

/** A place in a git repository, as `ADD` and build contexts name it. */
export interface GitReference {
  /** What `git clone` takes. */
  readonly remote: string;
  /** The last part of the path, without `.git`. */
  readonly shortName: string;
  /** A branch, tag or commit. */
  readonly ref?: string;
  /** The directory below the root that is meant. */
  readonly subdirectory?: string;
  /** What the commit must start with, in hexadecimal digits. */
  readonly checksum?: string;
  /** The times of the files: those of the commit, or of the checkout. */
  readonly modificationTime?: 'commit' | 'checkout';
  readonly fetchByCommit: boolean;
  /** `?keep-git-dir=true`: the caller's own wish counts without it. */
  readonly keepGitDirectory?: boolean;
  /** Whether submodules are checked out, too. */
  readonly submodules: boolean;
  /** `github.com/…` may be a path of this machine, too. */
  readonly mayBeLocal: boolean;
  /** Nothing proves who answers, nor that nobody changed it on the way. */
  readonly unencrypted: boolean;
}

const scpForm = /^[A-Za-z0-9_.-]+@[A-Za-z0-9_.-]+:(?!\/\/)(.+)$/;

/**
 * Reads `https://host/path.git#ref:directory`, `git://…`, `ssh://…`, `git@host:path`, and `github.com/owner/name`; also with
 * `?ref=`, `?tag=`, `?branch=`, `?subdir=`, `?checksum=`, `?mtime=`. `undefined` for what names no repository.
 *
 * @throws BuildError `ERR_OCI_DOCKERFILE_INVALID` when the parts contradict each other or a parameter is unknown.
 */
export function parseGitReference(text: string): GitReference | undefined {
  const [beforeFragment = '', fragment = ''] = splitOnce(text, '#');
  const [location = '', query = ''] = splitOnce(beforeFragment, '?');
  const kind = kindOf(location);
  if (kind === undefined) return undefined;
  const [fragmentRef = '', fragmentDirectory = ''] = splitOnce(fragment, ':');
  const parameters = readParameters(text, query);
  const ref = agree(text, 'ref', [fragmentRef, parameters.ref]);
  const subdirectory = agree(text, 'subdir', [fragmentDirectory, parameters.subdirectory]);
  return {
    remote: location,
    shortName: (location.split(/[/:]/).at(-1) ?? '').replace(/\.git$/, ''),
    fetchByCommit: parameters.fetchByCommit,
    submodules: parameters.submodules,
    ...kind,
    ...(ref === '' ? {} : { ref }),
    ...(subdirectory === '' ? {} : { subdirectory }),
    ...(parameters.checksum === '' ? {} : { checksum: parameters.checksum }),
    ...(parameters.keepGitDirectory === undefined ? {} : { keepGitDirectory: parameters.keepGitDirectory }),
    ...(parameters.modificationTime === undefined ? {} : { modificationTime: parameters.modificationTime }),
  };
}

function kindOf(
  location: string,
): { readonly mayBeLocal: boolean; readonly unencrypted: boolean } | undefined {
  const [, scheme] = /^([a-z][a-z0-9+.-]*):\/\/./i.exec(location) ?? [];
  if (scheme === undefined) {
    if (location.startsWith('github.com/') && location.split('/').length > 2)
      return { mayBeLocal: true, unencrypted: false };
    return scpForm.test(location) ? { mayBeLocal: false, unencrypted: false } : undefined;
  }
  switch (scheme.toLowerCase()) {
    case 'git':
      return { mayBeLocal: false, unencrypted: true };
    case 'ssh':
      return { mayBeLocal: false, unencrypted: false };
    case 'http':
    case 'https':
      if (!/\.git$/.test(location)) return undefined;
      return { mayBeLocal: false, unencrypted: scheme.toLowerCase() === 'http' };
    default:
      return undefined;
  }
}

interface Parameters {
  readonly ref: string;
  readonly subdirectory: string;
  readonly checksum: string;
  readonly modificationTime?: 'commit' | 'checkout';
  readonly fetchByCommit: boolean;
  readonly keepGitDirectory: boolean | undefined;
  readonly submodules: boolean;
}

function readParameters(text: string, query: string): Parameters {
  const refs: string[] = [];
  const found = { subdirectory: '', checksum: '', fetchByCommit: false, submodules: true };
  let keepGitDirectory: boolean | undefined;
  let modificationTime: 'commit' | 'checkout' | undefined;
  for (const [name, value] of new URLSearchParams(query)) {
    if (name === 'ref') refs.push(value);
    else if (name === 'tag') refs.push(`refs/tags/${value}`);
    else if (name === 'branch') refs.push(`refs/heads/${value}`);
    else if (name === 'subdir') found.subdirectory = value;
    else if (name === 'checksum' || name === 'commit') found.checksum = value;
    else if (name === 'fetch-by-commit') found.fetchByCommit = value !== 'false';
    else if (name === 'mtime') {
      if (value !== 'commit' && value !== 'checkout')
        refuse(text, `mtime is commit or checkout, not ${value}`);
      else modificationTime = value;
    } else if (name === 'submodules') found.submodules = value !== 'false';
    else if (name === 'keep-git-dir') keepGitDirectory = value !== 'false';
    else refuse(text, `the parameter ${name} is unknown`);
  }
  const shared = { ...found, keepGitDirectory, ref: agree(text, 'ref', refs) };
  return modificationTime === undefined ? shared : { ...shared, modificationTime };
}

/** The one value that is given; several must be equal. */
function agree(text: string, what: string, values: readonly string[]): string {
  const given = [...new Set(values.filter((value) => value !== ''))];
  if (given.length > 1) refuse(text, `${what} is given as ${given.join(' and as ')}`);
  return given[0] ?? '';
}

function splitOnce(text: string, separator: string): readonly [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + separator.length)];
}

function refuse(text: string, why: string): never {
  // User and password may stand in the name.
  throw new BuildError(
    'ERR_OCI_DOCKERFILE_INVALID',
    `the git reference ${withoutCredentials(text)} cannot be read: ${why}`,
  );
}
