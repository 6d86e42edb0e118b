import {
  type ArchiveInput,
  type Descriptor,
  formatReference,
  fullName,
  ImageError,
  type ImageStore,
  namesOf,
  openArchive,
  parseReference,
} from '@ocijs/image';
import type { RegistryOptions } from '../options.ts';
import type { CopyReport } from './report.ts';
import { storeSource } from './source.ts';
import { openTarget } from './target.ts';
import { transfer } from './transfer.ts';

/** Options of {@link load}. */
export interface LoadOptions extends RegistryOptions {
  readonly store: ImageStore;
  /** What the only image of the archive is called in the store, whatever the archive says. */
  readonly name?: string | undefined;
}

/** What was loaded under which name. */
export interface LoadReport extends CopyReport {
  /** The full name in the store. */
  readonly name: string;
}

/**
 * Brings all images of an archive into a store, byte for byte, under the full names that the archive gives them. Of an
 * index that is there in part, that part is loaded. An archive is an OCI image layout, or of `docker save`; plain, gzip
 * or zstd. The names are set last, and all of them are reported.
 *
 * Throws ERR_OCI_ARCHIVE_INVALID for an image without a full name, unless it is alone and `name` is given;
 * what opening an archive throws; `signal.reason`.
 */
export async function load(input: ArchiveInput, options: LoadOptions): Promise<readonly LoadReport[]> {
  const { store, signal } = options;
  signal?.throwIfAborted();
  const what = typeof input === 'string' ? {} : { location: 'standard input' };
  await using archive = await openArchive(input, { ...what, signal });
  const reports: LoadReport[] = [];
  for (const { top, name } of namedImages(await archive.entries(), {
    ...options,
    location: archive.location,
  })) {
    const opened = await openTarget({ transport: 'store', store, name }, options);
    await using target = opened.target;
    const source = storeSource(archive, { name: `${archive.location}:${name}`, top });
    const wanted = { extent: 'present', preserveDigests: true, conversion: {}, name: opened.name } as const;
    const report = await transfer(source, target, { ...options, ...wanted });
    await target.commit();
    reports.push({ ...report, name });
  }
  return reports;
}

interface NamedTop {
  readonly top: Descriptor;
  readonly name: string;
}

function namedImages(
  entries: readonly Descriptor[],
  { name, location }: { readonly name?: string | undefined; readonly location: string },
): readonly NamedTop[] {
  if (name !== undefined) {
    const [top] = entries;
    if (top !== undefined && entries.every(({ digest }) => digest === top.digest))
      return [{ top, name: formatReference(parseReference(name)) }];
    throw new ImageError(
      'ERR_OCI_ARCHIVE_INVALID',
      `${location} has ${entries.length} images, which cannot all be ${name}`,
      {
        path: location,
        hint: 'load them under their own names, or one of them with `oci copy`',
      },
    );
  }
  return entries.map((top) => ({ top, name: ownName(top, location) }));
}

/** A tag alone, as OCI layouts often have it, says nothing about whose tag it is. */
function ownName(top: Descriptor, location: string): string {
  const [written = ''] = namesOf(top);
  const name = /[/:]/.test(written) ? fullName(written) : undefined;
  if (name !== undefined) return name;
  throw new ImageError('ERR_OCI_ARCHIVE_INVALID', `image ${top.digest} in ${location} has no full name`, {
    path: location,
    digest: top.digest,
    ...(written === '' ? {} : { reference: written }),
    hint: 'say how it is to be called: --name NAME',
  });
}
