import type { DeviceRule } from '@ocijs/bundle/spec';
import { RuntimeError } from '../errors.ts';
import { deviceExceptionLimit } from '../limits.ts';
import { type DeviceException, type DevicePolicy, devicePolicy } from './device-policy.ts';
import { encodeInstructions, type Instruction } from './ebpf.ts';

// What the kernel asks of a program (linux/bpf.h, struct bpf_cgroup_dev_ctx).
const types = { b: 1, c: 2 } as const;
const accesses = { m: 1, r: 2, w: 4 } as const;

const [result, context, type, access, major, minor] = [0, 1, 2, 3, 4, 5] as const;

const loadRequest: readonly Instruction[] = [
  { operation: 'load', target: type, source: context, offset: 0 },
  { operation: 'copy', target: access, source: type },
  { operation: 'and', target: type, value: 0xffff },
  { operation: 'shiftRight', target: access, value: 16 },
  { operation: 'load', target: major, source: context, offset: 4 },
  { operation: 'load', target: minor, source: context, offset: 8 },
];

function answer(allowed: boolean): Instruction[] {
  return [{ operation: 'set', target: result, value: allowed ? 1 : 0 }, { operation: 'exit' }];
}

function accessMask(letters: string): number {
  return (['r', 'w', 'm'] as const).reduce(
    (mask, letter) => mask | (letters.includes(letter) ? accesses[letter] : 0),
    0,
  );
}

/** Ends the program if the exception decides, else falls through. */
function exceptionCode(exception: DeviceException, { allowed }: DevicePolicy): Instruction[] {
  const mask = accessMask(exception.access);
  // An exception that allows must cover the whole request; one that denies need only touch it.
  const test: Instruction[] = [
    { operation: 'copy', target: result, source: access },
    { operation: 'and', target: result, value: allowed ? mask : ~mask },
    { operation: allowed ? 'jumpEqual' : 'jumpNotEqual', target: result, value: 0 },
  ];
  const code: Instruction[] = [
    { operation: 'jumpNotEqual', target: type, value: types[exception.type] },
    ...(exception.major === undefined
      ? []
      : [{ operation: 'jumpNotEqual', target: major, value: exception.major } as const]),
    ...(exception.minor === undefined
      ? []
      : [{ operation: 'jumpNotEqual', target: minor, value: exception.minor } as const]),
    ...test,
    ...answer(!allowed),
  ];
  const isJump = ({ operation }: Instruction): boolean => operation.startsWith('jump');
  return code.map((instruction, index) =>
    isJump(instruction) ? { ...instruction, offset: code.length - index - 1 } : instruction,
  );
}

/**
 * Compiles `linux.resources.devices` for cgroup v2: the bytes of an eBPF program (BPF_PROG_TYPE_CGROUP_DEVICE) that
 * decides as a cgroup v1 devices group with the same rules does. Throws what `devicePolicy` throws, and
 * ERR_OCI_SPEC_UNSUPPORTED above `deviceExceptionLimit`.
 */
export function deviceProgram(rules: readonly DeviceRule[]): Uint8Array {
  const policy = devicePolicy(rules);
  const { allowed, exceptions } = policy;
  if (exceptions.length > deviceExceptionLimit) {
    throw new RuntimeError(
      'ERR_OCI_SPEC_UNSUPPORTED',
      `device rules for ${exceptions.length} devices are too many for cgroup v2`,
      { jsonPath: '$.linux.resources.devices', actual: exceptions.length, limit: deviceExceptionLimit },
    );
  }
  const code = exceptions.flatMap((exception) => exceptionCode(exception, policy));
  return encodeInstructions([...loadRequest, ...code, ...answer(allowed)]);
}
