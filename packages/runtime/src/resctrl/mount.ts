import { readFileSync } from 'node:fs';
import { parseMountInfo } from '@ocijs/linux/mount-info';

/** Where the kernel shows cache and memory bandwidth allocation, from the text of `/proc/self/mountinfo`. */
export function parseResctrlMount(mountinfo: string): string | undefined {
  return parseMountInfo(mountinfo).find(({ type }) => type === 'resctrl')?.mountPoint;
}

/** The mount point of resctrl; undefined without it. */
export function findResctrl(): string | undefined {
  return parseResctrlMount(readFileSync('/proc/self/mountinfo', 'utf8'));
}
