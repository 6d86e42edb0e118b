import { readFile } from 'node:fs/promises';
import { linuxCapabilities } from '@ocijs/bundle/spec';
import { usageError } from '../errors.ts';
import type { RunFlagValues } from './flags.ts';

/** What to start from, and what the host can give at all. */
export interface CapabilityBasis {
  readonly defaults: readonly string[];
  /** The capabilities of the running kernel that we may pass on; ALL means these. */
  readonly available: readonly string[];
}

/** Docker's rule: `ALL` first, then single additions, then single drops. Throws ERR_OCI_USAGE for unknown names. */
export function capabilitySet(
  flags: Pick<RunFlagValues, 'cap-add' | 'cap-drop' | 'privileged'>,
  { defaults, available }: CapabilityBasis,
): readonly string[] {
  const added = (flags['cap-add'] ?? []).map((name) => capabilityName('--cap-add', name));
  const dropped = (flags['cap-drop'] ?? []).map((name) => capabilityName('--cap-drop', name));
  const isAll = flags.privileged || added.includes('ALL');
  const start = isAll ? available : dropped.includes('ALL') ? [] : defaults;
  const result = new Set([...start, ...added.filter((name) => name !== 'ALL')]);
  for (const name of dropped) result.delete(name);
  return linuxCapabilities.filter((name) => result.has(name));
}

function capabilityName(flag: string, text: string): string {
  const upper = text.toUpperCase();
  if (upper === 'ALL') return upper;
  const name = upper.startsWith('CAP_') ? upper : `CAP_${upper}`;
  if (linuxCapabilities.includes(name)) return name;
  throw usageError(`${flag} ${JSON.stringify(text)} is not a capability`);
}

/** The bounding set in a `/proc/PID/status`, as names: nothing beyond it can be given to a child. */
export function boundingCapabilities(status: string): readonly string[] {
  const bits = BigInt(`0x${/^CapBnd:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`);
  return linuxCapabilities.filter((_, number) => ((bits >> BigInt(number)) & 1n) === 1n);
}

/** The capabilities that we can give to a container. */
export async function grantableCapabilities({
  rootless,
}: {
  readonly rootless: boolean;
}): Promise<readonly string[]> {
  // Whoever makes a user namespace has all capabilities in it.
  return rootless ? linuxCapabilities : boundingCapabilities(await readFile('/proc/self/status', 'utf8'));
}

/** What `--security-opt` asks for. */
export interface SecurityOptions {
  readonly noNewPrivileges: boolean;
  /** `unconfined`, or the path of a profile; undefined for the default profile. */
  readonly seccomp?: string;
  /** A profile that the kernel knows. */
  readonly apparmor?: string;
  /** Show the parts of `/proc` and `/sys` that are hidden or read-only otherwise. */
  readonly unmasked?: boolean;
}

/** What is not done anyway. */
const alreadyTrue: ReadonlySet<string> = new Set([
  'apparmor=unconfined',
  'label=disable',
  'seccomp=builtin',
  'writable-cgroups=false',
]);

/** Reads all `--security-opt`. Throws ERR_OCI_USAGE for what cannot be done. */
export function parseSecurityOptions(texts: readonly string[]): SecurityOptions {
  let options: SecurityOptions = { noNewPrivileges: false };
  for (const text of texts) {
    const normal = text.replace(':', '=');
    const privileges = /^no-new-privileges(?:=(true|false))?$/.exec(normal);
    const [, name, value = ''] = /^(seccomp|apparmor|systempaths)=(.+)$/.exec(normal) ?? [];
    if (alreadyTrue.has(normal)) continue;
    if (privileges !== null) options = { ...options, noNewPrivileges: privileges[1] !== 'false' };
    else if (name === 'seccomp') options = { ...options, seccomp: value };
    else if (name === 'apparmor') options = { ...options, apparmor: value };
    else if (name === 'systempaths' && value === 'unconfined') options = { ...options, unmasked: true };
    else {
      throw usageError(
        `--security-opt ${JSON.stringify(text)} is not supported`,
        `supported: no-new-privileges, seccomp=unconfined, seccomp=FILE, apparmor=PROFILE, systempaths=unconfined, ${[...alreadyTrue].join(', ')}`,
      );
    }
  }
  return options;
}
