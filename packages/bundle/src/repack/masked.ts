import type { ImageSource } from '@ocijs/image';

/** What is left out of a repack. */
export interface MaskOptions {
  readonly maskPaths?: readonly string[] | undefined;
  readonly maskVolumes?: boolean | undefined;
}

/** Tells which paths of the root file system are masked: those that are named, and the image's volumes, with all below. */
export function masked(
  { config }: Pick<ImageSource, 'config'>,
  { maskPaths = [], maskVolumes = true }: MaskOptions,
): (path: string) => boolean {
  const volumes = maskVolumes ? Object.keys(config.config?.Volumes ?? {}) : [];
  const tops = [...maskPaths, ...volumes]
    .map((path) =>
      path
        .split('/')
        .filter((name) => name !== '' && name !== '.')
        .join('/'),
    )
    .filter((path) => path !== '');
  return (path) => tops.some((top) => path === top || path.startsWith(`${top}/`));
}
