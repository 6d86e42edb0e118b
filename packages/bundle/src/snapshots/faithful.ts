import { closeSync, openSync, readSync } from 'node:fs';
import type { EntryRecord } from '@ocijs/image';
import { readSize } from '../limits.ts';
import { isOverlayAttribute } from '../rootfs/overlay/marks.ts';

/** What a line has in it that may tell of something reserved; most have neither. */
const hints = ['.overlay.', '["character-device"'] as const;
const newline = 0x0a;

/**
 * False for a layer with something that means something to overlayfs, so that its snapshot had to leave it out; `record` is
 * the file with the record of the layer's entries.
 */
export function isFaithful(record: string, signal?: AbortSignal): boolean {
  const fd = openSync(record, 'r');
  try {
    let rest = Buffer.alloc(0);
    for (;;) {
      signal?.throwIfAborted();
      const chunk = Buffer.allocUnsafe(readSize);
      const length = readSync(fd, chunk, 0, readSize, null);
      const text = Buffer.concat([rest, chunk.subarray(0, length)]);
      const end = length === 0 ? text.length : text.lastIndexOf(newline) + 1;
      if (hasReserved(text.subarray(0, end))) return false;
      if (length === 0) return true;
      rest = text.subarray(end);
    }
  } finally {
    closeSync(fd);
  }
}

/** Whether one of some whole lines is such an entry. */
function hasReserved(lines: Buffer): boolean {
  return hints.some((hint) => {
    for (let at = lines.indexOf(hint); at >= 0; ) {
      const start = lines.subarray(0, at).lastIndexOf(newline) + 1;
      const next = lines.indexOf(newline, at);
      const end = next < 0 ? lines.length : next;
      if (isReserved(JSON.parse(lines.toString('utf8', start, end)) as EntryRecord)) return true;
      at = lines.indexOf(hint, end);
    }
    return false;
  });
}

function isReserved([type, , , , , , , , device, xattrs]: EntryRecord): boolean {
  if (type === 'character-device' && device !== 0 && device[0] === 0 && device[1] === 0) return true;
  return xattrs !== 0 && xattrs.some(([name]) => isOverlayAttribute(name));
}
