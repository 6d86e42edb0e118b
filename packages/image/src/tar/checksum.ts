import { parseOctal } from './numeric.ts';

const checksumField = { start: 148, end: 156 } as const;

/** True when the header block at the beginning of `block` has the checksum that it claims, over unsigned or signed bytes. */
export function hasValidChecksum(block: Uint8Array): boolean {
  const claimed = parseOctal(block, checksumField);
  const sum = checksum(block);
  return claimed === sum || claimed === sum - 256 * countHighBytes(block);
}

/** The sum over a header block, its checksum field taken as spaces. */
export function checksum(block: Uint8Array): number {
  let sum = 8 * 0x20;
  for (let index = 0; index < 148; index++) sum += block[index] ?? 0;
  for (let index = 156; index < 512; index++) sum += block[index] ?? 0;
  return sum;
}

/** Old writers summed signed bytes, which takes 256 off for each byte above 127. */
function countHighBytes(block: Uint8Array): number {
  let count = 0;
  for (let index = 0; index < 512; index++) {
    if ((index < 148 || index >= 156) && (block[index] ?? 0) > 127) count++;
  }
  return count;
}
