/** Where fields of `struct inflate_state` lie (ISA-L 2.x, `igzip_lib.h`), in bytes; the same on x64 and arm64. */
export const field = {
  nextOut: 0,
  availableOut: 8,
  nextIn: 16,
  availableIn: 32,
  blockState: 21_160,
  crcFlag: 21_172,
} as const;

/** The size of the structure. */
export const structSize = 87_368;

/** How much lies behind the structure. */
export const guardBytes = 4_096;

/** Fills what lies behind the structure, where the library must not write. */
export const guardByte = 0xa5;

/** Values of fields. */
export const states = {
  /** `crc_flag`: there is no header, and the trailer of gzip is verified. */
  gzipTrailer: 6,
  /** `block_state`: the member is complete. */
  finished: 5,
} as const;

/** Memory that a call works with. */
export interface CallMemory {
  readonly input: number;
  readonly inputBytes: number;
  readonly output: number;
  readonly outputBytes: number;
}

/** Sets where the input and the output lie. */
export function writeFields(state: Buffer, { input, inputBytes, output, outputBytes }: CallMemory): void {
  writeAddress(state, field.nextOut, output);
  state.writeUInt32LE(outputBytes, field.availableOut);
  writeAddress(state, field.nextIn, input);
  state.writeUInt32LE(inputBytes, field.availableIn);
}

/** Reads what is left of them. */
export function readFields(state: Buffer): {
  readonly inputLeft: number;
  readonly outputLeft: number;
  readonly blockState: number;
} {
  return {
    inputLeft: state.readUInt32LE(field.availableIn),
    outputLeft: state.readUInt32LE(field.availableOut),
    blockState: state.readUInt32LE(field.blockState),
  };
}

function writeAddress(state: Buffer, offset: number, address: number): void {
  state.writeUInt32LE(address % 0x1_0000_0000, offset);
  state.writeUInt32LE(Math.floor(address / 0x1_0000_0000), offset + 4);
}
