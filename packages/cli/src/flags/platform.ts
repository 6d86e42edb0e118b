import type { Platform } from '@ocijs/image';
import { Flags } from '@oclif/core';

/** `--platform`, and where several make sense `--all-platforms`. */
export const platformFlags = {
  platform: Flags.string({
    helpValue: 'OS/ARCH[/VARIANT]',
    summary: "Choose a platform (default: the host's)",
  }),
};

/** The platform that was asked for; undefined for the host's. Throws ERR_OCI_PLATFORM_INVALID. */
export async function wantedPlatform(text: string | undefined): Promise<{ platform?: Platform }> {
  if (text === undefined) return {};
  const { parsePlatform } = await import('@ocijs/image');
  return { platform: parsePlatform(text) };
}
