import { RuntimeError } from '../errors.ts';

function invalid(message: string): RuntimeError {
  return new RuntimeError('ERR_OCI_CGROUP_INVALID', message);
}

/**
 * `cpu.shares` of cgroup v1 (2 to 262144, default 1024) as `cpu.weight` of v2 (1 to 10000, default 100).
 * The quadratic curve in log space meets both ends and the default; 0 stays 0, which means "not set".
 */
export function cpuSharesToWeight(shares: number): number {
  if (shares === 0) return 0;
  if (shares <= 2) return 1;
  if (shares >= 262_144) return 10_000;
  const log = Math.log2(shares);
  const exponent = (log * log + 125 * log) / 612 - 7 / 34;
  // Rounded first, so that an error in the last bit does not lift an exact power by one.
  return Math.ceil(Number((10 ** exponent).toFixed(9)));
}

/** `blkio.weight` of cgroup v1 (10 to 1000) stretched to `io.weight` of v2 (1 to 10000); 0 stays 0, "not set". */
export function blockIoWeightToIoWeight(weight: number): number {
  return weight === 0 ? 0 : 1 + Math.floor(((weight - 10) * 9999) / 990);
}

/**
 * The v1 limit of memory and swap together as the v2 limit of swap alone, in bytes; -1 is unlimited, 0 is not
 * set. Throws ERR_OCI_CGROUP_INVALID when the two limits do not fit together.
 */
export function swapLimit(limits: { readonly memory: number; readonly memoryAndSwap: number }): number {
  const { memory, memoryAndSwap } = limits;
  if (memory === -1 && memoryAndSwap === 0) return -1;
  if (memoryAndSwap === -1 || memoryAndSwap === 0) return memoryAndSwap;
  if (memory === 0 || memory === -1) throw invalid('a swap limit needs a memory limit');
  if (memory < 0) throw invalid(`memory limit ${memory} is negative`);
  if (memoryAndSwap < memory) {
    throw invalid(`limit of memory and swap ${memoryAndSwap} is below the memory limit ${memory}`);
  }
  return memoryAndSwap - memory;
}
