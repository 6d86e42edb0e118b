/** What the kernel shows a filter (struct seccomp_data). */
export interface SyscallData {
  readonly number: number;
  readonly architecture: number;
  readonly args: readonly bigint[];
}

interface Instruction {
  readonly code: number;
  readonly yes: number;
  readonly no: number;
  readonly k: number;
}

type Endian = 'little' | 'big';

function dataOf({ number, architecture, args }: SyscallData, endian: Endian): DataView {
  const view = new DataView(new ArrayBuffer(64));
  const isLittle = endian === 'little';
  view.setUint32(0, number, isLittle);
  view.setUint32(4, architecture, isLittle);
  for (const [index, value] of args.entries()) view.setBigUint64(16 + 8 * index, value, isLittle);
  return view;
}

function decode(program: Uint8Array, endian: Endian): Instruction[] {
  const view = new DataView(program.buffer, program.byteOffset, program.byteLength);
  const isLittle = endian === 'little';
  return Array.from({ length: program.byteLength / 8 }, (_, index) => ({
    code: view.getUint16(index * 8, isLittle),
    yes: view.getUint8(index * 8 + 2),
    no: view.getUint8(index * 8 + 3),
    k: view.getUint32(index * 8 + 4, isLittle),
  }));
}

const jumps: Readonly<Record<number, (accumulator: number, k: number) => boolean>> = {
  21: (accumulator, k) => accumulator === k,
  37: (accumulator, k) => accumulator > k,
  53: (accumulator, k) => accumulator >= k,
  69: (accumulator, k) => (accumulator & k) !== 0,
};

/** A program that was checked as the kernel checks it. */
export interface Program {
  readonly length: number;
  run(data: SyscallData): { readonly value: number; readonly steps: number };
}

function check(code: readonly Instruction[]): void {
  if (code.length === 0 || code.length > 4096) throw new Error(`${code.length} instructions`);
  if (code.at(-1)?.code !== 6) throw new Error('does not end with a return');
  for (const [index, { code: operation, yes, no, k }] of code.entries()) {
    const left = code.length - index - 1;
    const isJump = Object.hasOwn(jumps, operation);
    if (isJump && (yes >= left || no >= left)) throw new Error(`jump out of the program at ${index}`);
    if (operation === 5 && k >= left) throw new Error(`jump out of the program at ${index}`);
    if (operation === 32 && (k % 4 !== 0 || k >= 64)) throw new Error(`load of ${k} at ${index}`);
    if (!isJump && ![5, 6, 32, 84].includes(operation)) throw new Error(`operation ${operation} at ${index}`);
  }
}

/** Loads a program of struct sock_filter. Throws where the kernel would refuse it. */
export function loadProgram(bytes: Uint8Array, endian: Endian = 'little'): Program {
  const code = decode(bytes, endian);
  check(code);
  return {
    length: code.length,
    run(data) {
      const view = dataOf(data, endian);
      let accumulator = 0;
      let steps = 0;
      for (let position = 0; ; position++) {
        const { code: operation, yes, no, k } = code[position] as Instruction;
        steps++;
        if (operation === 6) return { value: k, steps };
        if (operation === 32) accumulator = view.getUint32(k, endian === 'little');
        else if (operation === 84) accumulator = (accumulator & k) >>> 0;
        else if (operation === 5) position += k;
        else position += jumps[operation]?.(accumulator, k) ? yes : no;
      }
    },
  };
}
