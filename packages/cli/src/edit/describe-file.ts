import type { TarEntry } from '@ocijs/image';

const letters: Readonly<Record<TarEntry['type'], string>> = {
  file: '-',
  link: '-',
  directory: 'd',
  symlink: 'l',
  'character-device': 'c',
  'block-device': 'b',
  fifo: 'p',
};

/** `-rwxr-xr-x`, as `ls -l` has it. */
export function formatMode({ type, mode }: Pick<TarEntry, 'type' | 'mode'>): string {
  const bits = (shift: number, special: number, letter: string): string => {
    const three = (mode >> shift) & 7;
    const isSpecial = (mode & special) !== 0;
    const last = isSpecial
      ? (three & 1) !== 0
        ? letter
        : letter.toUpperCase()
      : (three & 1) !== 0
        ? 'x'
        : '-';
    return `${(three & 4) !== 0 ? 'r' : '-'}${(three & 2) !== 0 ? 'w' : '-'}${last}`;
  };
  return `${letters[type]}${bits(6, 0o4000, 's')}${bits(3, 0o2000, 's')}${bits(0, 0o1000, 't')}`;
}

/** What `--json` says of a file in an image. */
export function describeFile(path: string, entry: TarEntry, layer: number, linkname: string): object {
  const { type, mode, uid, gid, size, deviceMajor, deviceMinor, xattrs } = entry;
  const isDevice = type === 'character-device' || type === 'block-device';
  return {
    path,
    type,
    mode: mode.toString(8).padStart(4, '0'),
    uid,
    gid,
    size,
    ...(linkname === '' ? {} : { linkname }),
    ...(isDevice ? { device: { major: deviceMajor, minor: deviceMinor } } : {}),
    ...(xattrs.size === 0
      ? {}
      : { xattrs: Object.fromEntries([...xattrs].map(([name, value]) => [name, value.toString('base64')])) }),
    ...(layer < 0 ? {} : { layer: layer + 1 }),
  };
}
