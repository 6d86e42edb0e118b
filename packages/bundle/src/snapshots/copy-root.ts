import { close, constants, fstat, openat } from '@ocijs/linux';
import { linuxOperations } from '../rootfs/linux-operations.ts';
import { createFileCopier } from '../rootfs/overlay/copy-file.ts';

const { AT_FDCWD, O_DIRECTORY, O_NOFOLLOW, O_PATH } = constants;

/** The top of an overlay looks like the top of its upper directory. */
export function copyRoot(source: string, target: string): void {
  const operations = linuxOperations();
  using opened = new DisposableStack();
  const open = (path: string): number => {
    const fd = openat(AT_FDCWD, path, { flags: O_PATH | O_DIRECTORY | O_NOFOLLOW });
    opened.defer(() => close(fd));
    return fd;
  };
  const layer = open(source);
  const copier = createFileCopier(operations, { restoreModes: true });
  copier.copyMetadata({ layer, path: '.', status: fstat(layer) }, { directory: open(target), name: '.' });
}
