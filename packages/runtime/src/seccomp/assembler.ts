/** Operation codes of classic BPF, as in linux/bpf_common.h; the kernel allows few more in seccomp filters. */
export const operations = {
  loadAbsolute: 0x20,
  and: 0x54,
  jumpAlways: 0x05,
  jumpEqual: 0x15,
  jumpGreater: 0x25,
  jumpGreaterOrEqual: 0x35,
  jumpSet: 0x45,
  return: 0x06,
} as const;

type Test = 'jumpEqual' | 'jumpGreater' | 'jumpGreaterOrEqual' | 'jumpSet';

interface Instruction {
  readonly code: number;
  readonly yes: number;
  readonly no: number;
  readonly k: number;
}

/** Where a jump goes: to a finished instruction, or to the end of the program with this value. */
export type Target = { readonly at: number } | { readonly returns: number };

/** A program under construction, from its last instruction to its first. */
export interface Assembler {
  readonly size: number;
  /** Puts a comparison with the accumulator in front of everything. */
  jump(test: Test, k: number, targets: { readonly yes: Target; readonly no: Target }): Target;
  /** Puts an instruction in front that goes on with the first one of now. */
  prepend(operation: 'loadAbsolute' | 'and', k: number): Target;
  /** Puts a return in front, when the program does not yet begin with `target`. */
  begin(target: Target): void;
  bytes(endian: 'little' | 'big'): Uint8Array;
}

// A conditional jump skips at most 255 instructions, and placing its second target can move the first by one.
const reachable = 254;

/**
 * Programs jump forwards only, and a target has to be known before a jump to it: so they are built backwards. What is
 * out of reach of a jump gets a long jump or, for a return, a copy nearby. A `Target.at` counts from the end.
 */
export function createAssembler(): Assembler {
  const code: Instruction[] = [];
  const returnsAt = new Map<number, number>();
  const relays = new Map<number, number>();

  function push(operation: keyof typeof operations, k: number, [yes, no]: [number, number] = [0, 0]): number {
    code.push({ code: operations[operation], yes, no, k: k >>> 0 });
    return code.length;
  }

  function isReachable(position: number | undefined): position is number {
    return position !== undefined && code.length - position <= reachable;
  }

  function place(target: Target): number {
    if ('returns' in target) {
      const known = returnsAt.get(target.returns);
      if (isReachable(known)) return known;
      const position = push('return', target.returns);
      returnsAt.set(target.returns, position);
      return position;
    }
    if (isReachable(target.at)) return target.at;
    const known = relays.get(target.at);
    if (isReachable(known)) return known;
    const position = push('jumpAlways', code.length - target.at);
    relays.set(target.at, position);
    return position;
  }

  return {
    get size() {
      return code.length;
    },
    jump(test, k, { yes, no }) {
      const yesAt = place(yes);
      const noAt = place(no);
      const from = code.length;
      return { at: push(test, k, [from - yesAt, from - noAt]) };
    },
    prepend: (operation, k) => ({ at: push(operation, k) }),
    begin(target) {
      if ('returns' in target) push('return', target.returns);
      else if (target.at !== code.length) push('jumpAlways', code.length - target.at);
    },
    bytes(endian) {
      const view = new DataView(new ArrayBuffer(code.length * 8));
      for (const [index, instruction] of code.toReversed().entries()) {
        view.setUint16(index * 8, instruction.code, endian === 'little');
        view.setUint8(index * 8 + 2, instruction.yes);
        view.setUint8(index * 8 + 3, instruction.no);
        view.setUint32(index * 8 + 4, instruction.k, endian === 'little');
      }
      return new Uint8Array(view.buffer);
    },
  };
}
