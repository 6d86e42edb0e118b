import type { Platform } from '@ocijs/image';
import { Flags } from '@oclif/core';

/** `--platform`, and where several make sense `--all-platforms`. */
export const platformFlags = {
  platform: Flags.string({
    helpValue: 'OS/ARCH[/VARIANT]',
    summary: "Choose a platform (default: the host's)",
  }),
};

/** `--platform` where it may be given more than once. */
export const platformsFlags = {
  platform: Flags.string({
    helpValue: 'OS/ARCH[/VARIANT]',
    multiple: true,
    multipleNonGreedy: true,
    delimiter: ',',
    summary: "Choose a platform, or several (default: the host's)",
  }),
};

/**
 * The platforms that were asked for: one stands alone, several are a smaller index; neither for the host's. Throws
 * ERR_OCI_PLATFORM_INVALID.
 */
export async function wantedPlatforms(
  texts: readonly string[] | undefined,
): Promise<{ platform?: Platform; platforms?: readonly Platform[] }> {
  if (texts === undefined || texts.length < 2) return wantedPlatform(texts?.[0]);
  const { parsePlatform } = await import('@ocijs/image');
  return { platforms: texts.map((text) => parsePlatform(text)) };
}

/** The platform that was asked for; undefined for the host's. Throws ERR_OCI_PLATFORM_INVALID. */
export async function wantedPlatform(text: string | undefined): Promise<{ platform?: Platform }> {
  if (text === undefined) return {};
  const { parsePlatform } = await import('@ocijs/image');
  return { platform: parsePlatform(text) };
}
