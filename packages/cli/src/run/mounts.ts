import { isAbsolute, resolve } from 'node:path';
import type { Mount } from '@ocijs/bundle';
import { usageError } from '../errors.ts';
import { parseBytes } from '../render/bytes.ts';

const propagations = ['private', 'rprivate', 'shared', 'rshared', 'slave', 'rslave'];
const volumeOptions: ReadonlySet<string> = new Set([
  'ro',
  'rw',
  'nosuid',
  'nodev',
  'noexec',
  ...propagations,
]);
const tmpfsOptions =
  /^(?:ro|rw|nosuid|suid|nodev|dev|noexec|exec|noatime|relatime|(?:size|mode|uid|gid|nr_inodes)=[0-9a-zA-Z%]+)$/;

/** Reads `--volume SRC:DST[:OPTIONS]`. Throws ERR_OCI_USAGE. */
export function parseVolume(text: string): Mount {
  const [source = '', destination, options = '', ...rest] = text.split(':');
  if (destination === undefined || rest.length > 0) {
    throw usageError(
      `--volume ${JSON.stringify(text)} is not SRC:DST[:OPTIONS]`,
      'anonymous volumes are not supported: name a directory of the host',
    );
  }
  if (!isAbsolute(source)) {
    throw usageError(
      `--volume source ${JSON.stringify(source)} is not an absolute path`,
      'named volumes are not supported: name a directory of the host',
    );
  }
  const words = options.split(',').filter((word) => word !== '');
  const unknown = words.find((word) => !volumeOptions.has(word));
  if (unknown !== undefined) throw usageError(`--volume option ${JSON.stringify(unknown)} is not supported`);
  return bindMount({ source, destination: target('--volume', destination), options: words });
}

/** Reads `--mount type=bind|tmpfs,…` with Docker's keys. Throws ERR_OCI_USAGE. */
export function parseMount(text: string): Mount {
  const fields = new Map(
    text.split(',').map((field) => {
      const equals = field.indexOf('=');
      return equals < 0 ? [field, 'true'] : [field.slice(0, equals), field.slice(equals + 1)];
    }),
  );
  const take = (...names: readonly string[]): string | undefined => {
    const values = names.map((name) => fields.get(name));
    for (const name of names) fields.delete(name);
    return values.find((value) => value !== undefined);
  };
  const type = take('type');
  const destination = target('--mount', take('target', 'destination', 'dst') ?? '');
  const options = isTrue(take('readonly', 'ro')) ? ['ro'] : [];
  let mount: Mount;
  if (type === 'bind') {
    const source = take('source', 'src') ?? '';
    if (!isAbsolute(source))
      throw usageError(`--mount source ${JSON.stringify(source)} is not an absolute path`);
    const propagation = take('bind-propagation') ?? 'rprivate';
    if (!propagations.includes(propagation))
      throw usageError(`--mount propagation ${propagation} is unknown`);
    mount = bindMount({ source, destination, options: [...options, propagation] });
  } else if (type === 'tmpfs') {
    const size = take('tmpfs-size');
    const bytes = size === undefined ? undefined : parseBytes(size);
    if (size !== undefined && bytes === undefined)
      throw usageError(`--mount tmpfs-size ${size} is not a size`);
    const mode = take('tmpfs-mode');
    if (mode !== undefined && !/^[0-7]{1,4}$/.test(mode))
      throw usageError(`--mount tmpfs-mode ${mode} is not octal`);
    const extra = [
      bytes === undefined ? [] : [`size=${bytes}`],
      mode === undefined ? [] : [`mode=${mode}`],
    ].flat();
    mount = tmpfsMount(destination, [...options, ...extra]);
  } else {
    throw usageError(
      `--mount type ${JSON.stringify(type ?? '')} is not supported`,
      'types are bind and tmpfs',
    );
  }
  const [left] = fields.keys();
  if (left !== undefined)
    throw usageError(`--mount key ${JSON.stringify(left)} is not supported for type ${type}`);
  return mount;
}

/** Reads `--tmpfs DST[:OPTIONS]`. Throws ERR_OCI_USAGE. */
export function parseTmpfs(text: string): Mount {
  const colon = text.indexOf(':');
  const destination = target('--tmpfs', colon < 0 ? text : text.slice(0, colon));
  const words = colon < 0 ? [] : text.slice(colon + 1).split(',');
  const unknown = words.find((word) => !tmpfsOptions.test(word));
  if (unknown !== undefined) throw usageError(`--tmpfs option ${JSON.stringify(unknown)} is not supported`);
  return tmpfsMount(destination, words);
}

/** Puts mounts after those of the base, in place of any at the same destination. */
export function addMounts(base: readonly Mount[], added: readonly Mount[]): Mount[] {
  const replaced = new Set(added.map(({ destination }) => resolve(destination)));
  return [...base.filter(({ destination }) => !replaced.has(resolve(destination))), ...added];
}

/** A mount of a host file or directory with everything mounted below it. */
export function bindMount(bind: {
  readonly source: string;
  readonly destination: string;
  readonly options: readonly string[];
}): Mount {
  const { source, destination, options } = bind;
  const propagation = options.some((word) => propagations.includes(word)) ? [] : ['rprivate'];
  return { destination, type: 'bind', source, options: ['rbind', ...propagation, ...options] };
}

function tmpfsMount(destination: string, options: readonly string[]): Mount {
  const isExecutable = options.includes('exec');
  const kept = options.filter((word) => word !== 'exec' && word !== 'suid' && word !== 'dev');
  const defaults = [
    ...(options.includes('suid') ? [] : ['nosuid']),
    ...(options.includes('dev') ? [] : ['nodev']),
    ...(isExecutable ? [] : ['noexec']),
  ].filter((word) => !kept.includes(word));
  return { destination, type: 'tmpfs', source: 'tmpfs', options: [...defaults, ...kept] };
}

function target(flag: string, path: string): string {
  if (isAbsolute(path) && resolve(path) !== '/' && !path.includes('\0')) return resolve(path);
  throw usageError(`${flag} destination ${JSON.stringify(path)} is not an absolute path below /`);
}

function isTrue(value: string | undefined): boolean {
  return value !== undefined && value !== 'false' && value !== '0';
}
