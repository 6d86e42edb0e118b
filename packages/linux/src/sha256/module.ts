import { closeSync, openSync, readSync } from 'node:fs';
import { sha256LibraryPath } from './place.ts';

/** Enough for the first processor of /proc/cpuinfo; all are alike. */
const processorBytes = 8 * 1024;

/**
 * The module with `createSha256Lanes()`, for whoever hashes in threads (`accelerateHashing` of `@ocijs/image`): undefined
 * where that would be of no use. Loads no native code.
 */
export function sha256Module(): URL | undefined {
  const flags = processorFlags();
  if (!flags.includes('avx512vl') || flags.includes('sha_ni') || sha256LibraryPath() === undefined)
    return undefined;
  const name = import.meta.url.endsWith('.ts') ? './lanes.ts' : './lanes.js';
  return new URL(name, import.meta.url);
}

function processorFlags(): readonly string[] {
  const text = Buffer.alloc(processorBytes);
  try {
    const fd = openSync('/proc/cpuinfo', 'r');
    try {
      readSync(fd, text);
    } finally {
      closeSync(fd);
    }
  } catch {
    return []; // no Linux, or a sandbox without /proc
  }
  return /^flags\s*:\s*(.*)$/m.exec(text.toString('latin1'))?.[1]?.split(' ') ?? [];
}
