import { formatPlatform, type Platform } from '@ocijs/image';

/**
 * The arguments that every build has: `TARGETPLATFORM`, `TARGETOS`, `TARGETARCH`, `TARGETVARIANT`, the same with `BUILD`, and
 * `TARGETSTAGE`. `FROM` sees them as they are; a stage has to declare them with `ARG`.
 */
export function platformArguments(options: {
  /** What the image is for. */
  readonly target: Platform;
  /** Where the build runs. */
  readonly build: Platform;
  readonly stage?: string | undefined;
}): ReadonlyMap<string, string> {
  return new Map([
    ...ofPlatform('TARGET', options.target),
    ...ofPlatform('BUILD', options.build),
    ['TARGETSTAGE', options.stage ?? 'default'],
  ]);
}

function ofPlatform(prefix: string, platform: Platform): [string, string][] {
  return [
    [`${prefix}PLATFORM`, formatPlatform(platform)],
    [`${prefix}OS`, platform.os],
    [`${prefix}ARCH`, platform.architecture],
    [`${prefix}VARIANT`, platform.variant ?? ''],
  ];
}

/** Arguments that need no declaration, since they say how this network is left; they are no part of the image or the cache key. */
export const PROXY_ARGUMENTS: readonly string[] = [
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'FTP_PROXY',
  'NO_PROXY',
  'ALL_PROXY',
].flatMap((name) => [name, name.toLowerCase()]);
