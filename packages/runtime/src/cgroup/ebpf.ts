/** Registers of an eBPF program: a result, the context, and scratch. */
export type Register = 0 | 1 | 2 | 3 | 4 | 5;

/** The operations that device programs are made of (RFC 9669; linux/bpf.h). Arithmetic and jumps are of 32 bits. */
export const operations = {
  load: 0x61,
  copy: 0xbc,
  set: 0xb4,
  and: 0x54,
  shiftRight: 0x74,
  jumpEqual: 0x16,
  jumpNotEqual: 0x56,
  exit: 0x95,
} as const;

/** One instruction (struct bpf_insn). */
export interface Instruction {
  readonly operation: keyof typeof operations;
  readonly target?: Register;
  readonly source?: Register;
  /** A place in the context in bytes, or how many instructions a jump skips. */
  readonly offset?: number;
  readonly value?: number;
}

const size = 8;

/** A program's bytes. x86-64 and arm64, the processors of our native init, are little-endian. */
export function encodeInstructions(instructions: readonly Instruction[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(instructions.length * size));
  for (const [
    index,
    { operation, target = 0, source = 0, offset = 0, value = 0 },
  ] of instructions.entries()) {
    view.setUint8(index * size, operations[operation]);
    view.setUint8(index * size + 1, (source << 4) | target);
    view.setInt16(index * size + 2, offset, true);
    view.setInt32(index * size + 4, value, true);
  }
  return new Uint8Array(view.buffer);
}
