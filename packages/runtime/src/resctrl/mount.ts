import { readFileSync } from 'node:fs';

/** Where the kernel shows cache and memory bandwidth allocation, from the text of `/proc/self/mountinfo`. */
export function parseResctrlMount(mountinfo: string): string | undefined {
  for (const line of mountinfo.split('\n')) {
    const [before = '', after = ''] = line.split(' - ', 2);
    if (after.startsWith('resctrl ')) return before.split(' ')[4];
  }
  return undefined;
}

/** The mount point of resctrl; undefined without it. */
export function findResctrl(): string | undefined {
  return parseResctrlMount(readFileSync('/proc/self/mountinfo', 'utf8'));
}
