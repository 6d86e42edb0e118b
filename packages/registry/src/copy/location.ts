import type { ArchiveInput, ArchiveOutput, Digest, ImageStore, Reference } from '@ocijs/image';

/** Places that images are copied from and to alike. */
export type CommonLocation =
  /** `docker://NAME`: a registry. */
  | { readonly transport: 'registry'; readonly reference: string | Reference }
  /** An open store, and the name in it. */
  | { readonly transport: 'store'; readonly store: ImageStore; readonly name: string }
  /** `dir:DIR`: a directory as skopeo writes it. */
  | { readonly transport: 'dir'; readonly directory: string };

/** Where an image is copied from. Without name, position and digest: the only image that is there. */
export type CopySourceLocation =
  | CommonLocation
  /** `oci:DIR`: an image layout. */
  | {
      readonly transport: 'oci';
      readonly directory: string;
      readonly name?: string | undefined;
      readonly digest?: Digest | undefined;
    }
  /** `oci-archive:FILE` and `docker-archive:FILE`: a tar archive, as a file or a stream. */
  | {
      readonly transport: 'oci-archive' | 'docker-archive';
      readonly file: ArchiveInput;
      readonly name?: string | undefined;
      readonly digest?: Digest | undefined;
      /** From 0; skopeo's `:@N`. */
      readonly position?: number | undefined;
    };

/** Where an image is copied to. */
export type CopyDestinationLocation =
  | CommonLocation
  /** `oci:DIR`: an image layout, made if it is not there; the name is `latest` unless given. */
  | { readonly transport: 'oci'; readonly directory: string; readonly name?: string | undefined }
  /** A tar archive, as a file that is replaced, or as what takes its bytes. */
  | {
      readonly transport: 'oci-archive' | 'docker-archive';
      readonly file: ArchiveOutput;
      readonly name?: string | undefined;
    };

/** A location as people write it; for reports and messages. */
export function formatLocation(location: CopySourceLocation | CopyDestinationLocation): string {
  switch (location.transport) {
    case 'registry':
      return `docker://${typeof location.reference === 'string' ? location.reference : location.reference.repository}`;
    case 'store':
      return location.name;
    case 'dir':
      return `dir:${location.directory}`;
    case 'oci':
      return `oci:${location.directory}${suffix(location.name)}`;
    default: {
      const file = typeof location.file === 'string' ? location.file : '-';
      return `${location.transport}:${file}${suffix(location.name)}`;
    }
  }
}

function suffix(name: string | undefined): string {
  return name === undefined ? '' : `:${name}`;
}
