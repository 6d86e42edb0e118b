import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type LayeredTree, openLayeredTree, openSnapshots } from '@ocijs/bundle';
import type { ImageSource, Store } from '@ocijs/image';
import { createStatement, type Statement } from '../attestation/statement.ts';
import { readTreeFile } from '../context/read-tree-file.ts';
import { MAX_PACKAGE_JSON_BYTES } from '../limits.ts';
import { findPackages } from './find-packages.ts';
import { spdxDocument } from './spdx.ts';

export interface SbomOptions {
  readonly store: Store;
  readonly names?: readonly string[] | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The list of an image's packages (a software bill of materials) as a statement: what dpkg, apk, rpm and npm left in its files.
 * The same image gives the same statement. The layers are unpacked into the store's snapshots, where a build has them already.
 *
 * @throws BuildError `ERR_OCI_BUILD_SBOM_FAILED` for a database that is damaged, or too large; what unpacking throws.
 */
export async function sbomStatement(image: ImageSource, options: SbomOptions): Promise<Statement> {
  const { store, names = [], signal } = options;
  const snapshots = await openSnapshots(join(store.directory, 'snapshots'), { signal });
  using _inUse = await snapshots.use({ signal });
  const layers = image.manifest.layers.length === 0 ? [] : await snapshots.ensure(image, { signal });
  const empty = await mkdtemp(join(tmpdir(), 'oci-sbom-'));
  try {
    const places = layers.map(({ rootfs }) => rootfs).reverse();
    using tree = openLayeredTree(places.length === 0 ? [empty] : places, snapshots.form);
    return createStatement({
      subject: image.descriptor,
      names,
      predicateType: 'https://spdx.dev/Document',
      predicate: spdxDocument({
        packages: findPackages(tree, { signal }),
        name: names[0] ?? image.descriptor.digest,
        subject: image.descriptor,
        created: image.config.created ?? '1970-01-01T00:00:00Z',
        distribution: distributionOf(tree),
      }),
    });
  } finally {
    await rm(empty, { recursive: true });
  }
}

function distributionOf(tree: LayeredTree): { readonly id: string; readonly version: string } {
  const paths = ['/etc/os-release', '/usr/lib/os-release'];
  const text = paths
    .map((path) =>
      readTreeFile(tree, path, {
        limit: MAX_PACKAGE_JSON_BYTES,
        code: 'ERR_OCI_BUILD_SBOM_FAILED',
      })?.toString('utf8'),
    )
    .find((found) => found !== undefined);
  const field = (name: string): string =>
    new RegExp(`^${name}=["']?([A-Za-z0-9._-]*)`, 'm').exec(text ?? '')?.[1] ?? '';
  return { id: field('ID'), version: field('VERSION_ID') };
}
