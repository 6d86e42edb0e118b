import { ImageError } from '../errors.ts';
import { EXPANSION_ALLOWANCE, EXPANSION_RATIO_LIMIT } from './limits.ts';

/** How much a stream may grow. */
export interface ExpansionOptions {
  /** Output bytes per input byte, counted once there are more than 64 MiB of output; 1000 unless given. */
  readonly maxRatio?: number | undefined;
  /** Output bytes in all; unlimited unless given. */
  readonly limit?: number | undefined;
}

/** Counts what goes into and comes out of a decompressor. */
export interface ExpansionGuard {
  consumed(bytes: number): void;
  /** Throws ERR_OCI_LIMIT_EXCEEDED as soon as the output is too much. */
  produced(bytes: number): void;
}

/** Creates a guard against decompression bombs. */
export function createExpansionGuard({
  maxRatio = EXPANSION_RATIO_LIMIT,
  limit = Number.POSITIVE_INFINITY,
}: ExpansionOptions = {}): ExpansionGuard {
  let input = 0;
  let output = 0;
  return {
    consumed(bytes: number): void {
      input += bytes;
    },
    produced(bytes: number): void {
      output += bytes;
      if (output > limit) {
        throw new ImageError('ERR_OCI_LIMIT_EXCEEDED', `the stream expands to more than ${limit} bytes`, {
          limit,
          actual: output,
        });
      }
      if (output > EXPANSION_ALLOWANCE && output > input * maxRatio) {
        throw new ImageError(
          'ERR_OCI_LIMIT_EXCEEDED',
          `the stream expands to more than ${maxRatio} times its size`,
          {
            limit: maxRatio,
            actual: Math.round(output / Math.max(input, 1)),
            hint: 'it may be an attack; if you trust it, raise maxRatio',
          },
        );
      }
    },
  };
}
