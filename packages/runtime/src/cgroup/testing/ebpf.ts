/** What the kernel shows a device program (struct bpf_cgroup_dev_ctx). */
export interface DeviceRequest {
  readonly type: 'b' | 'c';
  readonly major: number;
  readonly minor: number;
  /** Some of `r`, `w` and `m`. */
  readonly access: string;
}

interface Instruction {
  readonly code: number;
  readonly target: number;
  readonly source: number;
  readonly offset: number;
  readonly value: number;
}

function decode(bytes: Uint8Array): Instruction[] {
  if (bytes.length % 8 !== 0) throw new Error('a part of an instruction');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return Array.from({ length: bytes.length / 8 }, (_, index) => ({
    code: view.getUint8(index * 8),
    target: view.getUint8(index * 8 + 1) & 15,
    source: view.getUint8(index * 8 + 1) >> 4,
    offset: view.getInt16(index * 8 + 2, true),
    value: view.getInt32(index * 8 + 4, true),
  }));
}

function contextOf({ type, major, minor, access }: DeviceRequest): DataView {
  const view = new DataView(new ArrayBuffer(12));
  const bits = [...access].reduce((sum, letter) => sum | ({ m: 1, r: 2, w: 4 }[letter] ?? 0), 0);
  view.setUint32(0, (bits << 16) | (type === 'b' ? 1 : 2), true);
  view.setUint32(4, major, true);
  view.setUint32(8, minor, true);
  return view;
}

/** Where in the registers the context's address is before the first instruction. */
const contextRegister = 1;

/** Carries out a program of 32-bit instructions. Throws for what the kernel's verifier would refuse. */
export function runDeviceProgram(program: Uint8Array, request: DeviceRequest): boolean {
  const code = decode(program);
  const context = contextOf(request);
  const registers: (number | undefined)[] = [];
  const read = (register: number): number => {
    const value = registers[register];
    if (value === undefined) throw new Error(`register ${register} is read before it is written`);
    return value;
  };
  for (let at = 0; ; at++) {
    const instruction = code[at];
    if (instruction === undefined) throw new Error(`no instruction at ${at}`);
    const { code: operation, target, source, offset, value } = instruction;
    if (operation === 0x61) {
      if (source !== contextRegister || offset % 4 !== 0) throw new Error(`load at ${at}`);
      registers[target] = context.getUint32(offset, true);
    } else if (operation === 0xbc) registers[target] = read(source);
    else if (operation === 0xb4) registers[target] = value >>> 0;
    else if (operation === 0x54) registers[target] = (read(target) & value) >>> 0;
    else if (operation === 0x74) registers[target] = read(target) >>> value;
    else if (operation === 0x16) at += read(target) === value >>> 0 ? offset : 0;
    else if (operation === 0x56) at += read(target) === value >>> 0 ? 0 : offset;
    else if (operation === 0x95) return read(0) !== 0;
    else throw new Error(`operation ${operation} at ${at}`);
    if (offset < 0) throw new Error(`a jump back at ${at}`);
  }
}
