import { usageError } from '../errors.ts';
import { healthConfig } from '../health/config.ts';
import { parseAddHost, parseNameServers } from '../network/files.ts';
import { parseExposed, parsePublish } from '../network/publish.ts';
import { parseDevice } from './devices.ts';
import type { RunFlagValues } from './flags.ts';
import { parsePlacement } from './namespaces.ts';
import { capabilitySet } from './security.ts';
import { applyRunFlags } from './spec.ts';

/** Checks all flag values before anything is pulled, by applying them to an empty configuration. Throws ERR_OCI_USAGE. */
export function checkRunFlags(flags: RunFlagValues): void {
  const empty = { ociVersion: '1.0.2', process: { cwd: '/', user: { uid: 0, gid: 0 } } };
  const devices = { devices: [], rules: [], mounts: [] };
  applyRunFlags(empty, flags, { hostname: 'check', rootless: false, devices, files: [], placements: {} });
  for (const text of flags.publish ?? []) parsePublish(text);
  for (const text of flags.expose ?? []) parseExposed(text);
  for (const text of flags['add-host'] ?? []) parseAddHost(text);
  parseNameServers(flags);
  parsePlacement('pid', flags.pid);
  parsePlacement('ipc', flags.ipc);
  healthConfig(undefined, flags);
  capabilitySet(flags, { defaults: [], available: [] });
  for (const text of flags.device ?? []) parseDevice(text);
  const { hostname, workdir } = flags;
  if (workdir !== undefined && !workdir.startsWith('/'))
    throw usageError(`--workdir ${JSON.stringify(workdir)} is not an absolute path`);
  if (hostname !== undefined && !/^[a-zA-Z0-9](?:[a-zA-Z0-9.-]{0,62}[a-zA-Z0-9])?$/.test(hostname)) {
    throw usageError(`--hostname ${JSON.stringify(hostname)} is not a host name`);
  }
}

/** Owners are emulated where there are no others, and by this runtime alone. Throws ERR_OCI_USAGE. */
export function checkEmulatedOwners(flags: Pick<RunFlagValues, 'emulate-owners' | 'runtime'>): void {
  if (!flags['emulate-owners']) return;
  if (process.geteuid?.() === 0)
    throw usageError('--emulate-owners is for ordinary users', 'as root, files have the owners of the image');
  if (flags.runtime !== undefined)
    throw usageError('--emulate-owners does not go with --runtime', 'leave one of them out');
}

/** Flags that say how to launch a bundle and not what is in it. */
const bundleFlags: ReadonlySet<string> = new Set(
  'bundle runtime emulate-owners detach rm name interactive store root json progress quiet log-level'.split(
    ' ',
  ),
);

/** A bundle is launched as it is, so flags that would change it are refused. Throws ERR_OCI_USAGE. */
export function refuseBundleFlags(typed: readonly string[]): void {
  for (const argument of typed) {
    if (argument === '--') return;
    const long = /^--([a-z-]+)/.exec(argument)?.[1];
    const isChange = long === undefined ? /^-[diq]*[^-diq]/.test(argument) : !bundleFlags.has(long);
    if (isChange)
      throw usageError(`${argument} does not go with --bundle`, 'edit config.json of the bundle instead');
  }
}
