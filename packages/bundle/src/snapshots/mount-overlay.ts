import {
  close,
  constants,
  isSystemCallError,
  mount as mountSystemCall,
  openat,
  type SystemCallError,
  umount2,
} from '@ocijs/linux';
import { BundleError } from '../errors.ts';
import type { OverlayForm } from '../rootfs/overlay/marks.ts';

const { AT_FDCWD, MNT_DETACH, O_DIRECTORY, O_NOFOLLOW, O_PATH, UMOUNT_NOFOLLOW } = constants;

/** mount(2) takes one page of options, and cuts off what is longer. */
const optionsLimit = 4_095;

/** Mounts on top of each other at one place are taken for somebody else's beyond this. */
const stackedMountsLimit = 16;

/** The directories of an overlay. */
export interface OverlayMount {
  /** The uppermost first; at least one. */
  readonly lower: readonly string[];
  readonly upper: string;
  /** Empty, on the file system of `upper`. */
  readonly work: string;
  readonly form: OverlayForm;
  /** What changes need not survive: fsync does nothing, and unmounting does not wait for the disk (Linux 5.10). */
  readonly temporary: boolean;
}

/**
 * Mounts an overlay at `target`. The directories are named through descriptors: that is short enough for more than
 * 200 layers, and no character in a path means anything to the parser of the options.
 *
 * Throws ERR_OCI_SNAPSHOT_UNSUPPORTED when overlayfs cannot be mounted: not permitted, not in the kernel,
 * not on these file systems, or too many layers.
 */
export function mountOverlay(target: string, { lower, upper, work, form, temporary }: OverlayMount): void {
  using opened = new DisposableStack();
  const named = (path: string): string => {
    const fd = openat(AT_FDCWD, path, { flags: O_PATH | O_DIRECTORY | O_NOFOLLOW });
    opened.defer(() => close(fd));
    return `/proc/self/fd/${fd}`;
  };
  const options = [
    `lowerdir=${lower.map(named).join(':')}`,
    `upperdir=${named(upper)}`,
    `workdir=${named(work)}`,
    ...(form === 'user' ? ['userxattr'] : []),
  ].join(',');
  if (temporary && tryMount(target, `${options},volatile`) === undefined) return;
  const error = tryMount(target, options);
  if (error !== undefined)
    throw unsupported(`overlayfs cannot be mounted at ${target}`, { errno: error.code, cause: error });
}

/** Returns the error when such a mount is out of the question. */
function tryMount(target: string, options: string): SystemCallError | undefined {
  if (options.length > optionsLimit)
    throw unsupported('the image has too many layers for one mount', { limit: optionsLimit });
  try {
    mountSystemCall(target, { source: 'overlay', type: 'overlay', data: options });
    return undefined;
  } catch (error) {
    if (isSystemCallError(error, 'EPERM', 'EACCES', 'ENODEV', 'EINVAL', 'ENOTSUP', 'ENOSYS', 'E2BIG'))
      return error;
    throw error;
  }
}

function unsupported(
  message: string,
  facts: { readonly limit?: number; readonly errno?: string; readonly cause?: Error },
): BundleError {
  return new BundleError('ERR_OCI_SNAPSHOT_UNSUPPORTED', message, facts);
}

/** Unmounts whatever is mounted at a path, which need not be a mount point or be there. Links are not followed. */
export function unmountAll(path: string): void {
  for (let count = 0; count < stackedMountsLimit; count += 1) {
    try {
      unmount(path);
    } catch (error) {
      if (isSystemCallError(error, 'EINVAL', 'ENOENT')) return;
      throw error;
    }
  }
}

function unmount(path: string): void {
  try {
    umount2(path, { flags: UMOUNT_NOFOLLOW });
  } catch (error) {
    if (!isSystemCallError(error, 'EBUSY')) throw error;
    // Somebody looks at it; the mount goes when the last one leaves.
    umount2(path, { flags: UMOUNT_NOFOLLOW | MNT_DETACH });
  }
}
