import { RuntimeError } from '../errors.ts';
import { seccompInstructionLimit } from '../limits.ts';
import type { SeccompFilter } from '../seccomp/types.ts';
import { ownerCalls } from './calls.ts';

/** Parts of instructions of classic BPF (linux/bpf_common.h), and what filters return (linux/seccomp.h). */
const load = 0x20;
const jump = 0x05;
const jumpEqual = 0x15;
const give = 0x06;
const offsets = { number: 0, architecture: 4 } as const;
const returns = { allow: 0x7fff_0000, log: 0x7ffc_0000, notify: 0x7fc0_0000, action: 0xffff_0000 } as const;
const flagBits = { newListener: 8, waitKillable: 32 } as const;
const instructionSize = 8;

interface Instruction {
  readonly code: number;
  readonly yes?: number;
  readonly no?: number;
  readonly operand: number;
}

function encode(list: readonly Instruction[]): Buffer {
  const bytes = Buffer.alloc(list.length * instructionSize);
  for (const [index, { code, yes = 0, no = 0, operand }] of list.entries()) {
    bytes.writeUInt16LE(code, index * instructionSize);
    bytes.writeUInt8(yes, index * instructionSize + 2);
    bytes.writeUInt8(no, index * instructionSize + 3);
    bytes.writeUInt32LE(operand, index * instructionSize + 4);
  }
  return bytes;
}

/** The same program, which asks where it let a call happen. What it refuses stays refused. */
function asking(program: Uint8Array): Buffer {
  const bytes = Buffer.from(program);
  for (let at = 0; at < bytes.length; at += instructionSize) {
    if (bytes.readUInt16LE(at) !== give) continue;
    const action = (bytes.readUInt32LE(at + 4) & returns.action) >>> 0;
    if (action === returns.allow || action === returns.log) bytes.writeUInt32LE(returns.notify, at + 4);
  }
  return bytes;
}

/**
 * A filter that has calls about owners answered by an agent where the container's own filter lets them happen, and is the same for
 * all else. Without one, all else is allowed. Throws ERR_OCI_SPEC_CONFLICT for a filter that has an agent already, of which
 * the kernel allows one only, and ERR_OCI_SPEC_UNSUPPORTED when the result is longer than the kernel takes.
 */
export function withOwnerCalls(
  own: Pick<SeccompFilter, 'program' | 'flags'> | undefined,
): Pick<SeccompFilter, 'program' | 'flags'> {
  const jsonPath = '$.linux.seccomp';
  if (own !== undefined && (own.flags & flagBits.newListener) !== 0)
    throw new RuntimeError(
      'ERR_OCI_SPEC_CONFLICT',
      `config.json: ${jsonPath} has SCMP_ACT_NOTIFY, and owners cannot be emulated besides`,
      { jsonPath, hint: 'a kernel asks one agent only: use another action, or do without emulated owners' },
    );
  const calls = ownerCalls();
  if (calls === undefined)
    throw new RuntimeError(
      'ERR_OCI_SPEC_UNSUPPORTED',
      `owners cannot be emulated on a processor ${process.arch}`,
    );
  const program = own?.program ?? encode([{ code: give, operand: returns.allow }]);
  const { length } = calls.numbers;
  const head = encode([
    { code: load, operand: offsets.architecture },
    { code: jumpEqual, operand: calls.audit, no: length + 1 },
    { code: load, operand: offsets.number },
    ...calls.numbers.map((operand, index) => ({ code: jumpEqual, operand, yes: length - index })),
    { code: jump, operand: 1 },
    { code: jump, operand: program.length / instructionSize },
  ]);
  const merged = Buffer.concat([head, program, asking(program)]);
  if (merged.length > seccompInstructionLimit * instructionSize)
    throw new RuntimeError(
      'ERR_OCI_SPEC_UNSUPPORTED',
      `config.json: ${jsonPath} is too long for owners to be emulated besides`,
      { jsonPath, limit: seccompInstructionLimit, actual: merged.length / instructionSize },
    );
  const flags = (own?.flags ?? 0) | flagBits.newListener | flagBits.waitKillable;
  return { program: merged, flags };
}
