import type { Rlimit } from '@ocijs/bundle/spec';
import { conflict } from './context.ts';
import { type Step, stepsOf } from './step.ts';

/** The resources of setrlimit(2), each at its number, the same on x86-64 and arm64. */
const resources: readonly string[] =
  'CPU FSIZE DATA STACK CORE RSS NPROC NOFILE MEMLOCK AS LOCKS SIGPENDING MSGQUEUE NICE RTPRIO RTTIME'.split(
    ' ',
  );

const infinity = 2n ** 64n - 1n;

/** A JSON number stands for infinity when it is too large for a double to tell it from 2^64 - 1. */
function limitValue(value: number): bigint {
  const number = BigInt(value);
  return number > infinity ? infinity : number;
}

/** The resource limits, set by the monitor when the init needs no more resources itself. */
export function planRlimits(rlimits: readonly Rlimit[] = []): Step[] {
  const seen = new Set<string>();
  return rlimits.map(({ type, soft, hard }, index) => {
    const jsonPath = `$.process.rlimits[${index}]`;
    const number = type.startsWith('RLIMIT_') ? resources.indexOf(type.slice(7)) : -1;
    if (number < 0) throw conflict(`${jsonPath}.type`, `is not a resource limit: ${JSON.stringify(type)}`);
    if (seen.has(type)) throw conflict(jsonPath, `sets ${type} again`);
    seen.add(type);
    const fields = { number, soft: limitValue(soft), hard: limitValue(hard) };
    return stepsOf('limits')('resourceLimit', {
      purpose: `set the resource limit ${type}`,
      jsonPath,
      fields,
    });
  });
}
