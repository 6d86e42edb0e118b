import type { Platform } from '@ocijs/image';
import type { PlatformConstraints } from '../project/package-manifest.ts';

/** What the image is for, as `package.json` names it. */
export interface NodeTarget {
  /** As `process.platform`. */
  readonly os: string;
  /** As `process.arch`. */
  readonly cpu: string;
  /** The C library of the base, found out when a package asks for one. */
  libc(): Promise<'glibc' | 'musl'>;
}

const processors: Readonly<Record<string, string>> = {
  amd64: 'x64',
  '386': 'ia32',
  mips64le: 'mips64el',
  mipsle: 'mipsel',
  ppc64le: 'ppc64',
};

/** The platform of an image in Node's words. */
export function nodePlatform({ os, architecture }: Platform): { readonly os: string; readonly cpu: string } {
  return { os: os === 'windows' ? 'win32' : os, cpu: processors[architecture] ?? architecture };
}

/** True when a package runs on the target. */
export async function runsOn({ os, cpu, libc }: PlatformConstraints, target: NodeTarget): Promise<boolean> {
  if (!allows(os, target.os) || !allows(cpu, target.cpu)) return false;
  return libc.length === 0 || target.os !== 'linux' || allows(libc, await target.libc());
}

/** The package is for some platforms only. */
export function isConstrained({ os, cpu, libc }: PlatformConstraints): boolean {
  return os.length + cpu.length + libc.length > 0;
}

/** As npm reads such a list: `!x` excludes, and where others are named, one of them has to be it. */
function allows(list: readonly string[], value: string): boolean {
  if (list.length === 0 || list.includes('any')) return true;
  if (list.includes(`!${value}`)) return false;
  const named = list.filter((one) => !one.startsWith('!'));
  return named.length === 0 || named.includes(value);
}
