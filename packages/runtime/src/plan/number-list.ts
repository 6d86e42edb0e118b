import { conflict } from './context.ts';

/** What a list such as `0-3,7` may name, and for whom it is read. */
export interface NumberListOptions {
  /** Numbers are below this. */
  readonly limit: number;
  readonly jsonPath: string;
  /** Completes "is not a list of …". */
  readonly what: string;
}

/** The bits of a list such as `0-3,7`, lowest first. Throws ERR_OCI_SPEC_CONFLICT. */
export function numberListBits(list: string, options: NumberListOptions): Uint8Array {
  const bytes = new Uint8Array(options.limit / 8);
  for (const part of list.split(',').filter((text) => text.trim() !== '')) {
    const [, first, last = first] = /^\s*(\d+)\s*(?:-\s*(\d+)\s*)?$/.exec(part) ?? [];
    if (first === undefined || Number(last) < Number(first) || Number(last) >= options.limit) {
      throw conflict(options.jsonPath, `is not a list of ${options.what}: ${JSON.stringify(list)}`);
    }
    for (let number = Number(first); number <= Number(last); number++) {
      bytes[number >> 3] = (bytes[number >> 3] ?? 0) | (1 << (number & 7));
    }
  }
  return bytes;
}
