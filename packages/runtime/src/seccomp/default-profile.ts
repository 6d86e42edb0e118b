import { release } from 'node:os';
import type { Seccomp } from '@ocijs/bundle/spec';
import { nativeArchitecture } from './architectures.ts';
import { dockerProfile } from './docker-profile.ts';
import { isInForce } from './docker-rules.ts';

/** Names that Go has for processors, where they are not those of Node.js. */
const goNames: Readonly<Record<string, string>> = {
  x64: 'amd64',
  ia32: '386',
  ppc64: 'ppc64le',
  mipsel: 'mipsle',
};

/** A processor of `process.arch` as Go names it. */
export function goProcessor(architecture: string): string {
  return Object.hasOwn(goNames, architecture) ? (goNames[architecture] as string) : architecture;
}

/** Options of {@link defaultSeccompProfile}. */
export interface DefaultProfileOptions {
  /** The processor, named as in `process.arch`; this one when left out. */
  readonly architecture?: string;
  /** The kernel's release; that of this host when left out. */
  readonly kernel?: string;
}

/**
 * Docker's default profile for a container with these capabilities (its bounding set): what is forbidden without
 * CAP_SYS_ADMIN, for example, is allowed with it.
 */
export function defaultSeccompProfile(
  capabilities: readonly string[],
  { architecture = process.arch, kernel = release() }: DefaultProfileOptions = {},
): Seccomp {
  const native = nativeArchitecture(architecture)?.name;
  const listed = native !== undefined && Object.hasOwn(dockerProfile.architectures, native);
  const facts = {
    capabilities: new Set(capabilities),
    processor: goProcessor(architecture),
    kernel,
  };
  const rules = dockerProfile.rules.filter((rule) => isInForce(rule, facts));
  return {
    defaultAction: dockerProfile.defaultAction,
    defaultErrnoRet: dockerProfile.defaultErrnoRet,
    ...(listed && { architectures: [native, ...(dockerProfile.architectures[native] ?? [])] }),
    syscalls: rules.map(({ names, action, errnoRet, args }) => ({
      names: names.trim().split(/\s+/),
      action,
      ...(errnoRet !== undefined && { errnoRet }),
      ...(args !== undefined && { args: args.map((argument) => ({ ...argument })) }),
    })),
  };
}
