import { CliError, usageError } from './errors.ts';

/** An image argument, by where the image is. */
export type ImageName =
  /** In the store first; commands that need it pull it when it is missing. */
  | { readonly transport: 'name'; readonly name: string }
  /** Always the registry. */
  | { readonly transport: 'docker'; readonly name: string }
  /** An OCI layout directory; without tag and digest, the only image in it. */
  | {
      readonly transport: 'oci';
      readonly directory: string;
      readonly tag?: string;
      readonly digest?: string;
    }
  | ArchiveName<'oci-archive'>
  | ArchiveName<'docker-archive'>
  /** A directory as skopeo writes it, with one image. */
  | { readonly transport: 'dir'; readonly directory: string };

/** A tar archive; `-` is standard input or output. Without name and position, the only image in it. */
interface ArchiveName<Transport> {
  readonly transport: Transport;
  readonly file: string;
  readonly name?: string;
  readonly position?: number;
}

/** Transports that other tools know and this version does not read. */
const otherTransports: ReadonlySet<string> = new Set([
  'docker-daemon',
  'containers-storage',
  'ostree',
  'sif',
  'tarball',
]);

/** The transports that this version reads and writes, for hints. */
export const transportForms =
  'NAME[:TAG][@DIGEST], docker://NAME, oci:DIR[:TAG|@DIGEST], oci-archive:FILE[:TAG], docker-archive:FILE[:REF] and dir:DIR';

/**
 * Reads an image argument: `NAME`, `docker://NAME`, `oci:DIR[:TAG|@DIGEST]`, `oci-archive:FILE[:TAG]`,
 * `docker-archive:FILE[:REF]` or `dir:DIR`. Names are checked later, by `parseReference`. Throws
 * ERR_OCI_TRANSPORT_UNSUPPORTED for another tool's transport and ERR_OCI_USAGE.
 */
export function parseImageName(text: string): ImageName {
  if (text === '') throw usageError('image name is empty');
  if (text.startsWith('docker://')) return { transport: 'docker', name: withoutPrefix(text, 'docker://') };
  if (text.startsWith('oci:')) return parseLayoutName(withoutPrefix(text, 'oci:'));
  if (text.startsWith('dir:')) return { transport: 'dir', directory: withoutPrefix(text, 'dir:') };
  const prefix = text.slice(0, Math.max(text.indexOf(':'), 0));
  if (prefix === 'oci-archive' || prefix === 'docker-archive')
    return parseArchiveName(prefix, withoutPrefix(text, `${prefix}:`));
  if (otherTransports.has(prefix)) {
    throw new CliError('ERR_OCI_TRANSPORT_UNSUPPORTED', `transport ${prefix}: is not supported`, {
      hint: `this version reads ${transportForms}`,
    });
  }
  return { transport: 'name', name: text };
}

function withoutPrefix(text: string, prefix: string): string {
  if (text.length > prefix.length) return text.slice(prefix.length);
  throw usageError(`nothing follows ${prefix}`);
}

/** The directory ends at the first colon, as for skopeo and umoci, since tags may hold further ones. */
function parseLayoutName(text: string): ImageName {
  const byDigest = /^([^:]+)@([a-z0-9+._-]+:[0-9a-fA-F]{32,})$/.exec(text);
  if (byDigest !== null) return { transport: 'oci', directory: byDigest[1] ?? '', digest: byDigest[2] ?? '' };
  const colon = text.indexOf(':');
  if (colon < 0) return { transport: 'oci', directory: text };
  const tag = text.slice(colon + 1);
  if (colon === 0 || tag === '') throw usageError(`oci:${text} is not oci:DIR[:TAG|@DIGEST]`);
  return { transport: 'oci', directory: text.slice(0, colon), tag };
}

/** The name of something that can only be in a registry: `NAME` and `docker://NAME` mean the same. */
export function registryName(text: string): string {
  const name = parseImageName(text);
  if (name.transport === 'name' || name.transport === 'docker') return name.name;
  throw usageError(`${text} is not in a registry`);
}

/** The file ends at the first colon, as for skopeo; `@N` is the image at a place, from 0. */
function parseArchiveName(transport: 'oci-archive' | 'docker-archive', text: string): ImageName {
  const colon = text.indexOf(':');
  if (colon < 0) return { transport, file: text };
  const file = text.slice(0, colon);
  const name = text.slice(colon + 1);
  if (file === '' || name === '') throw usageError(`${transport}:${text} is not ${transport}:FILE[:NAME]`);
  const position = /^@(\d{1,6})$/.exec(name)?.[1];
  return position === undefined ? { transport, file, name } : { transport, file, position: Number(position) };
}

/** The name that a registry may know; undefined for an image in a file or directory. */
export function nameInRegistry(name: ImageName): string | undefined {
  return name.transport === 'name' || name.transport === 'docker' ? name.name : undefined;
}
