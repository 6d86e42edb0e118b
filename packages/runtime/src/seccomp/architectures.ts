import { type SyscallTableName, syscallTable } from './syscall-table.ts';

/** What a filter has to know about one architecture (runtime-spec `config-linux.md`, "Seccomp", `architectures`). */
export interface Architecture {
  /** Such as `SCMP_ARCH_X86_64`. */
  readonly name: string;
  /** `seccomp_data.arch`, as in linux/audit.h. */
  readonly audit: number;
  /** Arguments of 32-bit architectures are compared by their lower half. */
  readonly bits: 32 | 64;
  readonly endian: 'little' | 'big';
  readonly table: SyscallTableName;
  /** Added to the numbers of the table. */
  readonly base: number;
  /** True where sockets and System V IPC are also reached through `socketcall` and `ipc`. */
  readonly multiplexes: boolean;
}

interface Traits {
  readonly table: SyscallTableName;
  readonly base?: number;
  readonly multiplexes?: boolean;
}

const bit64 = 0x8000_0000;
const littleEndian = 0x4000_0000;
const n32 = 0x2000_0000;

function define(name: string, audit: number, { table, base = 0, multiplexes = false }: Traits): Architecture {
  return {
    name: `SCMP_ARCH_${name}`,
    audit,
    // x32 has the audit number of x86-64, n32 that of 64-bit MIPS; the pointers of both have 32 bits.
    bits: audit >= bit64 && name !== 'X32' && !name.endsWith('N32') ? 64 : 32,
    endian: Math.floor(audit / littleEndian) % 2 === 1 ? 'little' : 'big',
    table,
    base,
    multiplexes,
  };
}

const machines = { i386: 3, mips: 8, ppc: 20, ppc64: 21, s390: 22, arm: 40, x86: 62, aarch64: 183 } as const;
const machineRiscv = 243;
const machineLoongarch = 258;
const le64 = bit64 + littleEndian;

/** Set in the numbers of all x32 system calls. */
export const x32Bit: number = 0x4000_0000;

/** Every architecture that a profile can name. */
export const architectures: readonly Architecture[] = [
  define('X86_64', le64 + machines.x86, { table: 'x86_64' }),
  define('X86', littleEndian + machines.i386, { table: 'x86', multiplexes: true }),
  define('X32', le64 + machines.x86, { table: 'x32', base: x32Bit }),
  define('AARCH64', le64 + machines.aarch64, { table: 'aarch64' }),
  define('ARM', littleEndian + machines.arm, { table: 'arm' }),
  define('RISCV64', le64 + machineRiscv, { table: 'riscv64' }),
  define('LOONGARCH64', le64 + machineLoongarch, { table: 'loongarch64' }),
  define('PPC64LE', le64 + machines.ppc64, { table: 'ppc64', multiplexes: true }),
  define('PPC64', bit64 + machines.ppc64, { table: 'ppc64', multiplexes: true }),
  define('PPC', machines.ppc, { table: 'ppc', multiplexes: true }),
  define('S390X', bit64 + machines.s390, { table: 's390x', multiplexes: true }),
  define('S390', machines.s390, { table: 's390', multiplexes: true }),
  define('MIPSEL64', le64 + machines.mips, { table: 'mips64', base: 5000 }),
  define('MIPS64', bit64 + machines.mips, { table: 'mips64', base: 5000 }),
  define('MIPSEL64N32', le64 + n32 + machines.mips, { table: 'mips64n32', base: 6000 }),
  define('MIPS64N32', bit64 + n32 + machines.mips, { table: 'mips64n32', base: 6000 }),
  define('MIPSEL', littleEndian + machines.mips, { table: 'mips', base: 4000, multiplexes: true }),
  define('MIPS', machines.mips, { table: 'mips', base: 4000, multiplexes: true }),
];

/** Names that Node.js has for processors, and the architecture whose programs they run first. */
const native: Readonly<Record<string, string>> = {
  x64: 'X86_64',
  ia32: 'X86',
  arm64: 'AARCH64',
  arm: 'ARM',
  riscv64: 'RISCV64',
  loong64: 'LOONGARCH64',
  s390x: 'S390X',
  mips: 'MIPS',
  mipsel: 'MIPSEL',
};

/** The architecture of that name, such as `SCMP_ARCH_X86_64`. */
export function findArchitecture(name: string): Architecture | undefined {
  return architectures.find((architecture) => architecture.name === name);
}

/** The architecture of a processor, named as in `process.arch`; `ppc64` means the little-endian one. */
export function nativeArchitecture(arch: string): Architecture | undefined {
  if (arch === 'ppc64') return findArchitecture('SCMP_ARCH_PPC64LE');
  return Object.hasOwn(native, arch) ? findArchitecture(`SCMP_ARCH_${native[arch]}`) : undefined;
}

/** The number of a system call, as in `seccomp_data.nr`; undefined where it does not exist. */
export function syscallNumber({ table, base }: Architecture, name: string): number | undefined {
  const number = syscallTable(table).get(name);
  return number === undefined ? undefined : number + base;
}
