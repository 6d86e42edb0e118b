import { readFileSync } from 'node:fs';
import { type Capabilities, type Process, parseSpec, type User } from '@ocijs/bundle/spec';
import { RuntimeError } from '../../errors.ts';
import { type Flags, listFlag, type ParsedArguments, textFlag, usageError } from '../arguments.ts';

/** The flags that say what `exec` runs. */
export const processFlags: Flags = {
  process: { takes: 'text', short: 'p', about: "a file with the process in config.json's form" },
  cwd: { takes: 'text', about: 'the working directory' },
  env: { takes: 'list', short: 'e', about: 'NAME=value, may be repeated' },
  tty: { takes: 'nothing', short: 't', about: 'give the process a terminal' },
  user: { takes: 'text', short: 'u', about: 'UID[:GID]' },
  'additional-gids': { takes: 'list', short: 'g', about: 'a further group, may be repeated' },
  'process-label': { takes: 'text', about: 'the SELinux label' },
  apparmor: { takes: 'text', about: 'the AppArmor profile' },
  'no-new-privs': { takes: 'nothing', about: 'gain no privileges by executing files' },
  cap: { takes: 'list', short: 'c', about: 'a further capability, may be repeated' },
};

const idLimit = 2 ** 32 - 2;

/** Strictly a number: what is none must not become user 0. */
function parseId(text: string, what: string): number {
  const id = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (id <= idLimit) return id;
  throw usageError(`bad ${what}: ${JSON.stringify(text)}`);
}

function readProcess(path: string): Process {
  // Checked as a part of a configuration; the words around it are not the file's.
  const text = Buffer.concat([
    Buffer.from('{"ociVersion":"1.0.2","process":'),
    readFileSync(path),
    Buffer.from('}'),
  ]);
  const { process } = parseSpec(text);
  if (process === undefined) throw usageError('process property must not be empty');
  return process;
}

function userOf(parsed: ParsedArguments, own: User): User {
  const [uid, ...gids] = (textFlag(parsed, 'user') || `${own.uid}`).split(':');
  if (gids.length > 1) throw usageError(`bad gid: ${JSON.stringify(gids.join(':'))}`);
  const more = listFlag(parsed, 'additional-gids').map((gid) => parseId(gid, 'additional gid'));
  return {
    ...own,
    uid: parseId(uid ?? '', 'uid'),
    ...(gids[0] !== undefined && { gid: parseId(gids[0], 'gid') }),
    additionalGids: [...(own.additionalGids ?? []), ...more],
  };
}

/** Added capabilities are never inheritable (CVE-2022-29162), and ambient only where others were inheritable before. */
function capabilitiesOf(parsed: ParsedArguments, own: Capabilities = {}): Capabilities {
  const more = listFlag(parsed, 'cap');
  if (more.length === 0) return own;
  const { bounding = [], effective = [], permitted = [], ambient = [], inheritable } = own;
  return {
    ...own,
    bounding: [...bounding, ...more],
    effective: [...effective, ...more],
    permitted: [...permitted, ...more],
    ...(inheritable && { ambient: [...ambient, ...more] }),
  };
}

/**
 * The process that `exec` runs: a file's, or the container's own with what the flags change. Throws
 * ERR_OCI_COMMAND_INVALID, and the errors of `parseSpec` for a file.
 */
export function execProcess(parsed: ParsedArguments, own: Process | undefined): Process {
  const file = textFlag(parsed, 'process');
  if (file) return readProcess(file);
  if (own === undefined) {
    throw new RuntimeError('ERR_OCI_STATE_INVALID', 'the container has no process to take settings from');
  }
  const args = parsed.words.slice(1);
  if (args.length === 0) throw usageError('exec args cannot be empty');
  const { consoleSize: _, ...base } = own;
  const label = textFlag(parsed, 'process-label');
  const profile = textFlag(parsed, 'apparmor');
  return {
    ...base,
    args,
    terminal: parsed.flags.has('tty'),
    cwd: textFlag(parsed, 'cwd') || base.cwd,
    env: [...(base.env ?? []), ...listFlag(parsed, 'env')],
    user: userOf(parsed, base.user),
    capabilities: capabilitiesOf(parsed, base.capabilities),
    ...(label && { selinuxLabel: label }),
    ...(profile && { apparmorProfile: profile }),
    ...(parsed.flags.has('no-new-privs') && { noNewPrivileges: true }),
  };
}
