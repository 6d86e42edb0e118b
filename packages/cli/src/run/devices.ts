import { lstat, readdir, stat } from 'node:fs/promises';
import { isAbsolute, join, relative } from 'node:path';
import type { Device, DeviceRule, Mount } from '@ocijs/bundle';
import { usageError } from '../errors.ts';
import { systemMeaning } from '../render/system-error.ts';
import { bindMount } from './mounts.ts';

/** A device that flags ask for. */
export interface DeviceRequest {
  readonly source: string;
  readonly destination: string;
  /** Some of `r`, `w` and `m`. */
  readonly access: string;
}

/** What devices add to a configuration. */
export interface DeviceEdits {
  readonly devices: readonly Device[];
  readonly rules: readonly DeviceRule[];
  readonly mounts: readonly Mount[];
}

/** Reads `--device SRC[:DST[:rwm]]`; SRC is a device or a directory of devices. Throws ERR_OCI_USAGE. */
export function parseDevice(text: string): DeviceRequest {
  const [source = '', second, third, ...rest] = text.split(':');
  const isAccess = (word: string | undefined): word is string =>
    word !== undefined && /^[rwm]{1,3}$/.test(word);
  const destination = second === undefined || (third === undefined && isAccess(second)) ? source : second;
  const access = third ?? (isAccess(second) ? second : 'rwm');
  if (rest.length === 0 && isAbsolute(source) && isAbsolute(destination) && isAccess(access)) {
    return { source, destination, access };
  }
  throw usageError(`--device ${JSON.stringify(text)} is not SRC[:DST[:rwm]]`);
}

/** Looks the devices up. As root they are made anew in the container; an ordinary user can only mount the host's. */
export async function deviceEdits(
  requests: readonly DeviceRequest[],
  { rootless }: { readonly rootless: boolean },
): Promise<DeviceEdits> {
  const edits = { devices: [] as Device[], rules: [] as DeviceRule[], mounts: [] as Mount[] };
  for (const request of requests) {
    const { source, destination, access } = request;
    const found = await stat(source).catch((error: NodeJS.ErrnoException) => {
      throw usageError(`--device ${source} cannot be used: ${systemMeaning(error)}`);
    });
    if (found.isDirectory()) {
      const inside = await deviceEdits(await devicesIn(request), { rootless });
      edits.devices.push(...inside.devices);
      edits.rules.push(...inside.rules);
      edits.mounts.push(...inside.mounts);
      continue;
    }
    if (!found.isCharacterDevice() && !found.isBlockDevice())
      throw usageError(`--device ${source} is not a device`);
    if (rootless) {
      edits.mounts.push(bindMount({ source, destination, options: access.includes('w') ? [] : ['ro'] }));
      continue;
    }
    const type = found.isBlockDevice() ? 'b' : 'c';
    const { major, minor } = deviceNumbers(found.rdev);
    const { uid, gid, mode } = found;
    edits.devices.push({ path: destination, type, major, minor, fileMode: mode & 0o777, uid, gid });
    edits.rules.push({ allow: true, type, major, minor, access });
  }
  return edits;
}

/** The devices in a directory and below, each where its name is below the destination. Throws ERR_OCI_USAGE when there is none. */
async function devicesIn({ source, destination, access }: DeviceRequest): Promise<readonly DeviceRequest[]> {
  const found = await hostDevices(source);
  if (found.length === 0) throw usageError(`--device ${source} is a directory without devices`);
  return found.map((device) => ({
    source: device.source,
    destination: join(destination, relative(source, device.source)),
    access,
  }));
}

/** Splits a Linux device number. */
export function deviceNumbers(rdev: number): { readonly major: number; readonly minor: number } {
  const bits = BigInt(rdev);
  const major = Number(((bits >> 8n) & 0xfffn) | ((bits >> 32n) & ~0xfffn));
  const minor = Number((bits & 0xffn) | ((bits >> 12n) & ~0xffn & 0xffffffffn));
  return { major, minor };
}

/** Parts of `/dev` that a container has of its own. */
const ownParts: ReadonlySet<string> = new Set([
  'pts',
  'shm',
  'mqueue',
  'console',
  'fd',
  'lxc',
  '.udev',
  'ptmx',
]);

/** Every device of the host, for `--privileged`. */
export async function hostDevices(directory = '/dev'): Promise<readonly DeviceRequest[]> {
  const found: DeviceRequest[] = [];
  for (const name of await readdir(directory)) {
    if (directory === '/dev' && ownParts.has(name)) continue;
    const path = join(directory, name);
    const entry = await lstat(path);
    if (entry.isDirectory()) found.push(...(await hostDevices(path)));
    if (entry.isCharacterDevice() || entry.isBlockDevice()) {
      found.push({ source: path, destination: path, access: 'rwm' });
    }
  }
  return found;
}
