import { readFileSync } from 'node:fs';

let known: bigint | undefined;

/** The capabilities that this process could still give to one that it starts, one bit each. Nothing gives them back, so it is read once. */
export function boundingSet(): bigint {
  known ??= BigInt(
    `0x${/^CapBnd:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0'}`,
  );
  return known;
}
