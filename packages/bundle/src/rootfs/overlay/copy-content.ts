import { fstatSync, readSync, writeSync } from 'node:fs';
import * as linux from '@ocijs/linux';
import { BundleError } from '../../errors.ts';
import { filledHolesLimit, readSize } from '../../limits.ts';

const blockSize = 512;

/** Two open files, and how long the content of the first is. */
export interface ContentCopy {
  readonly source: number;
  readonly target: number;
  /** In bytes. */
  readonly size: number;
}

/** Copies the content of files, of which it remembers what their file systems can do. */
export type ContentCopier = (files: ContentCopy) => void;

/**
 * A copier. The content is shared where the file system can (reflinks); else the kernel copies it, and holes stay holes
 * where the file system tells them. Throws ERR_OCI_SNAPSHOT_UNSUPPORTED for large ones where it does not.
 */
export function createContentCopier(): ContentCopier {
  let clones = true;
  let ranges = true;

  return ({ source, target, size }) => {
    if (size === 0) return;
    if (clones) {
      if (linux.cloneContent(source, target)) return;
      clones = false;
    }
    let data = 0;
    for (let at = 0; at < size; ) {
      const range = linux.nextData(source, at);
      if (range === undefined) break;
      data += range.length;
      at = range.offset + range.length;
      if (data > filledHolesLimit) refuseFilling(source, data);
      ranges &&= linux.copyRange(source, target, range);
      if (!ranges) copyThrough({ source, target, ...range });
    }
    linux.ftruncate(target, size);
  };

  /** Where holes are not told, a file of a few blocks can be one of many terabytes. */
  function refuseFilling(source: number, data: number): void {
    const excess = data - fstatSync(source).blocks * blockSize;
    if (excess <= filledHolesLimit) return;
    throw new BundleError('ERR_OCI_SNAPSHOT_UNSUPPORTED', 'copying would fill holes of sparse files', {
      limit: filledHolesLimit,
    });
  }
}

interface RangeCopy extends Pick<ContentCopy, 'source' | 'target'> {
  readonly offset: number;
  readonly length: number;
}

function copyThrough({ source, target, offset, length }: RangeCopy): void {
  const buffer = Buffer.allocUnsafe(Math.min(readSize, length));
  for (let done = 0; done < length; ) {
    const bytes = readSync(source, buffer, 0, Math.min(buffer.length, length - done), offset + done);
    if (bytes === 0) return;
    for (let written = 0; written < bytes; )
      written += writeSync(target, buffer, written, bytes - written, offset + done + written);
    done += bytes;
  }
}
