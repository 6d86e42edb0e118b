import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { constants, isSystemCallError, lsetxattr } from '@ocijs/linux';
import { BundleError } from '../errors.ts';
import { makeWhiteout, type OverlayForm, opaqueAttribute } from '../rootfs/overlay/marks.ts';
import { trialPrefix } from './paths.ts';

/**
 * Tries whether the marks of overlayfs can be made in a directory. Throws ERR_OCI_SNAPSHOT_UNSUPPORTED when the
 * kernel forbids them (an ordinary user's whiteouts need Linux 5.8) or the file system has no such attributes.
 */
export async function requireMarks(directory: string, form: OverlayForm): Promise<void> {
  const trial = await mkdtemp(join(directory, trialPrefix));
  try {
    makeWhiteout(constants.AT_FDCWD, join(trial, 'whiteout'));
    lsetxattr(trial, { name: opaqueAttribute(form), value: Buffer.from('y') });
  } catch (error) {
    if (!isSystemCallError(error, 'EPERM', 'EACCES', 'ENOTSUP', 'EINVAL')) throw error;
    throw new BundleError('ERR_OCI_SNAPSHOT_UNSUPPORTED', `layers cannot be kept apart in ${directory}`, {
      path: directory,
      errno: error.code,
      syscall: error.syscall,
      cause: error,
      hint: 'it takes Linux 5.8 and a file system with extended attributes',
    });
  } finally {
    await rm(trial, { recursive: true, force: true });
  }
}
