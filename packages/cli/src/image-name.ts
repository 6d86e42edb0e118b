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
    };

/** Transports that other tools know and this version does not read. */
const otherTransports: ReadonlySet<string> = new Set([
  'oci-archive',
  'docker-archive',
  'dir',
  'docker-daemon',
  'containers-storage',
  'ostree',
  'sif',
  'tarball',
]);

/**
 * Reads an image argument: `NAME`, `docker://NAME`, `oci:DIR`, `oci:DIR:TAG` or `oci:DIR@DIGEST`. Names are checked
 * later, by `parseReference`. Throws ERR_OCI_TRANSPORT_UNSUPPORTED for another tool's transport and ERR_OCI_USAGE.
 */
export function parseImageName(text: string): ImageName {
  if (text === '') throw usageError('image name is empty');
  if (text.startsWith('docker://')) return { transport: 'docker', name: withoutPrefix(text, 'docker://') };
  if (text.startsWith('oci:')) return parseLayoutName(withoutPrefix(text, 'oci:'));
  const prefix = text.slice(0, Math.max(text.indexOf(':'), 0));
  if (otherTransports.has(prefix)) {
    throw new CliError('ERR_OCI_TRANSPORT_UNSUPPORTED', `transport ${prefix}: is not supported`, {
      hint: 'this version reads NAME[:TAG][@DIGEST], docker://NAME and oci:DIR[:TAG|@DIGEST]',
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
