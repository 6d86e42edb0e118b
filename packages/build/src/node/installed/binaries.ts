import type { LayeredTree } from '@ocijs/bundle';
import type { NodeFile } from '../layers/node-file.ts';
import { firstBytes } from '../project/first-bytes.ts';

/** What a compiled file runs on: the system as `process.platform` has it, and the processors as `process.arch`. */
export interface BinaryPlatform {
  readonly os: string;
  /** Several, for a file with a part for each. */
  readonly cpus: readonly string[];
}

const elfMachines: ReadonlyMap<number, string> = new Map([
  [0x03, 'ia32'],
  [0x08, 'mips'],
  [0x15, 'ppc64'],
  [0x16, 's390x'],
  [0x28, 'arm'],
  [0x3e, 'x64'],
  [0xb7, 'arm64'],
  [0xf3, 'riscv64'],
  [0x102, 'loong64'],
]);
const machProcessors: ReadonlyMap<number, string> = new Map([
  [0x0100_0007, 'x64'],
  [0x0100_000c, 'arm64'],
]);
const headerBytes = 64;

/** The compiled files among those of a package: addons, and programs. Others are not opened. */
export function binariesOf(
  tree: LayeredTree,
  files: readonly NodeFile[],
): readonly { readonly path: string; readonly platform: BinaryPlatform }[] {
  return files.flatMap((one) => {
    if (one.kind !== 'file' || !(one.path.endsWith('.node') || one.isExecutable)) return [];
    const platform = binaryPlatform(firstBytes(tree, one.file, headerBytes));
    return platform === undefined ? [] : [{ path: one.path, platform }];
  });
}

/** What the first bytes of a file say it runs on; `undefined` when it is not compiled. */
export function binaryPlatform(bytes: Buffer): BinaryPlatform | undefined {
  if (bytes.length < headerBytes) return undefined;
  const magic = bytes.readUInt32BE(0);
  if (magic === 0x7f45_4c46) {
    const machine = bytes[5] === 2 ? bytes.readUInt16BE(18) : bytes.readUInt16LE(18);
    return { os: 'linux', cpus: [elfMachines.get(machine) ?? `elf-${machine}`] };
  }
  if (magic === 0xcffa_edfe)
    return { os: 'darwin', cpus: [machProcessors.get(bytes.readUInt32LE(4)) ?? 'mach'] };
  // Several in one; class files of Java begin alike, and have a version where the count is.
  if (magic === 0xcafe_babe && bytes.readUInt32BE(4) < 20)
    return {
      os: 'darwin',
      cpus: Array.from(
        { length: Math.min(bytes.readUInt32BE(4), 2) },
        (_, index) => machProcessors.get(bytes.readUInt32BE(8 + index * 20)) ?? 'mach',
      ),
    };
  return bytes.readUInt16BE(0) === 0x4d5a ? { os: 'win32', cpus: ['x64'] } : undefined;
}
