import type { ArchiveOutput, ImageStore, Platform } from '@ocijs/image';
import type { RegistryOptions } from '../options.ts';
import { conversionFor } from './copy.ts';
import type { CopyReport } from './report.ts';
import { openSource } from './source.ts';
import { openTarget } from './target.ts';
import { transfer } from './transfer.ts';

/** Options of {@link save}. */
export interface SaveOptions extends RegistryOptions {
  readonly store: ImageStore;
  /** As `docker save` writes it, or an OCI image layout. Default `docker`, which Docker, podman and skopeo load. */
  readonly format?: 'docker' | 'oci' | undefined;
  readonly platform?: Platform | undefined;
  /** Whole indexes; OCI only. */
  readonly allPlatforms?: boolean | undefined;
}

/**
 * Writes images of a store, with their names, into one archive. The file appears when it is complete.
 * Throws ERR_OCI_IMAGE_NOT_FOUND before anything is written, and what {@link copy} throws.
 */
export async function save(
  names: readonly string[],
  output: ArchiveOutput,
  options: SaveOptions,
): Promise<readonly CopyReport[]> {
  const { store, format = 'docker', platform, allPlatforms = false, signal } = options;
  signal?.throwIfAborted();
  const sources = [];
  for (const name of names) sources.push(await openSource({ transport: 'store', store, name }, options));
  const { target: opened } = await openTarget({ transport: `${format}-archive`, file: output }, options);
  await using target = opened;
  const reports: CopyReport[] = [];
  for (const source of sources) {
    const { name } = source;
    const wanted = { extent: allPlatforms ? 'all' : 'one', preserveDigests: false, name, platform } as const;
    reports.push(
      await transfer(source, target, { ...options, ...wanted, conversion: conversionFor(target, {}) }),
    );
  }
  await target.commit();
  return reports;
}
