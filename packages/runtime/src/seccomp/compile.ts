import { seccompInstructionLimit } from '../limits.ts';
import { actionValue, isPermissive, returns } from './actions.ts';
import {
  type Architecture,
  architectures,
  findArchitecture,
  nativeArchitecture,
  x32Bit,
} from './architectures.ts';
import { type Assembler, createAssembler, type Target } from './assembler.ts';
import { filterFlags } from './flags.ts';
import { profileError } from './profile-error.ts';
import { type Fallback, type Segment, syscallRanges } from './ranges.ts';
import { type ArchitectureRules, architectureRules, type Rule, readRules } from './rules.ts';
import { isSyscall, syscallTable } from './syscall-table.ts';
import { searchTree } from './tree.ts';
import type { SeccompFilter, SeccompProfile } from './types.ts';

const root = '$.linux.seccomp';
const offsets = { number: 0, architecture: 4 } as const;
const lastNumber = 0xffff_ffff;

/** Options of {@link compileSeccomp}. */
export interface CompileSeccompOptions {
  /** The processor that will run the filter, named as in `process.arch`; this one when left out. */
  readonly architecture?: string;
}

function chosen(profile: SeccompProfile, options: CompileSeccompOptions): Architecture[] {
  const name = options.architecture ?? process.arch;
  const native = nativeArchitecture(name);
  if (native === undefined) throw profileError(root, `cannot be compiled for a processor ${name}`);
  const result = new Set([native]);
  for (const [index, text] of (profile.architectures ?? []).entries()) {
    const jsonPath = `${root}.architectures[${index}]`;
    const architecture = text === 'SCMP_ARCH_NATIVE' ? native : findArchitecture(text);
    if (architecture === undefined) throw profileError(jsonPath, `${JSON.stringify(text)} is not known`);
    if (architecture.endian !== native.endian) {
      throw profileError(jsonPath, `${text} has another byte order than this processor`);
    }
    result.add(architecture);
  }
  return [...result];
}

interface ParsedProfile {
  readonly defaultAction: number;
  readonly rules: readonly Rule[];
  readonly hasListener: boolean;
}

function parse(profile: SeccompProfile): ParsedProfile {
  const defaultAction = actionValue({
    action: profile.defaultAction,
    errnoRet: profile.defaultErrnoRet,
    jsonPath: `${root}.defaultAction`,
  });
  if (defaultAction === returns.notify) {
    throw profileError(`${root}.defaultAction`, 'cannot be SCMP_ACT_NOTIFY: nobody could take the listener');
  }
  const rules = (profile.syscalls ?? []).flatMap((entry, index) =>
    readRules(entry, `${root}.syscalls[${index}]`),
  );
  const asked = rules.filter(({ action }) => action === returns.notify);
  if (asked.some(({ names }) => names.includes('write'))) {
    // As in runc: every program writes, an agent in the same container before it could answer too.
    throw profileError(`${root}.syscalls`, 'SCMP_ACT_NOTIFY cannot be used for the write syscall');
  }
  return { defaultAction, rules, hasListener: asked.length > 0 };
}

interface SegmentOptions {
  readonly rulesOf: (architecture: Architecture) => ArchitectureRules;
  readonly isPatched: boolean;
}

/** The parts of the number space of one `seccomp_data.arch`: x86-64 and x32 share theirs. */
function segmentsOf(members: readonly Architecture[], { rulesOf, isPatched }: SegmentOptions): Segment[] {
  const [first] = members as [Architecture];
  if (first.table !== 'x86_64' && first.table !== 'x32')
    return [{ from: 0, to: lastNumber, rules: rulesOf(first) }];
  const pick = (table: string): ArchitectureRules | undefined => {
    const found = members.find((member) => member.table === table);
    return found && rulesOf(found);
  };
  const wide = pick('x86_64');
  const narrow = pick('x32');
  // The number -1 has the bit of x32 and must not be punished when x32 is.
  const skip = { from: lastNumber, to: lastNumber, rules: narrow ?? { verdicts: new Map(), largest: -1 } };
  // Numbers beyond x32's without its bit: no program uses them, and runc answers them as too new.
  const isBeyond = narrow !== undefined || (isPatched && (wide?.largest ?? 0) > 0);
  const beyond = isBeyond ? { verdicts: new Map(), largest: wide?.largest ?? -1 } : undefined;
  return [
    { from: 0, to: x32Bit - 1, rules: wide },
    { from: x32Bit, to: 2 * x32Bit - 1, rules: narrow },
    { from: 2 * x32Bit, to: 3 * x32Bit - 1, rules: beyond },
    { from: 3 * x32Bit, to: lastNumber - 1, rules: narrow },
    skip,
  ];
}

function grouped(list: readonly Architecture[]): Architecture[][] {
  const groups = new Map<number, Architecture[]>();
  for (const architecture of list) {
    groups.set(architecture.audit, [...(groups.get(architecture.audit) ?? []), architecture]);
  }
  return [...groups.values()];
}

/** Puts the part of the filter for one `seccomp_data.arch` in front. */
function section(assembler: Assembler, members: readonly Architecture[], parsed: ParsedProfile): Target {
  const [first] = members as [Architecture];
  const fallback: Fallback = {
    defaultAction: parsed.defaultAction,
    badArchitecture: returns.killThread,
    isPatched: !isPermissive(parsed.defaultAction),
    // setup(2) is how s390 hands on numbers that it does not know.
    neverImplemented: first.table.startsWith('s390') ? [0] : [],
  };
  const segments = segmentsOf(members, {
    rulesOf: (architecture) => architectureRules(architecture, parsed),
    isPatched: fallback.isPatched,
  });
  const ranges = syscallRanges(segments, fallback);
  const x32 = members.find(({ table }) => table === 'x32');
  const target = searchTree(assembler, {
    ranges,
    architectureAt: (number) => (number >= x32Bit && x32 !== undefined ? x32 : first),
  });
  if ('returns' in target) return target;
  assembler.begin(target);
  return assembler.prepend('loadAbsolute', offsets.number);
}

function unknownNames(rules: readonly Rule[], list: readonly Architecture[]): string[] {
  const names = new Set(rules.flatMap((rule) => rule.names));
  const isKnown = (name: string): boolean => list.some(({ table }) => syscallTable(table).has(name));
  return [...names].filter((name) => !isKnown(name) && !isSyscall(name));
}

/**
 * Compiles a profile (runtime-spec `config-linux.md`, "Seccomp") to a filter that does what runc's does: see this
 * directory's README for the meaning of rules that contradict each other. The processor's own architecture is always
 * allowed; programs of others that are not listed are killed. System calls newer than every one in the profile
 * fail with ENOSYS unless the default action lets them happen. Throws ERR_OCI_SPEC_UNSUPPORTED with the JSON path
 * of what cannot be compiled, and when the filter is longer than the kernel takes.
 */
export function compileSeccomp(profile: SeccompProfile, options: CompileSeccompOptions = {}): SeccompFilter {
  const list = chosen(profile, options);
  const parsed = parse(profile);
  const flags = filterFlags(profile.flags, parsed.hasListener);
  const assembler = createAssembler();
  let target: Target = { returns: returns.killThread };
  const groups = grouped(list).toReversed();
  const sections = groups.map((members) => section(assembler, members, parsed));
  for (const [index, members] of groups.entries()) {
    const [{ audit }] = members as [Architecture];
    target = assembler.jump('jumpEqual', audit, { yes: sections[index] as Target, no: target });
  }
  assembler.prepend('loadAbsolute', offsets.architecture);
  if (assembler.size > seccompInstructionLimit) {
    throw profileError(
      root,
      `compiles to ${assembler.size} instructions; the kernel takes ${seccompInstructionLimit}`,
    );
  }
  const { listenerPath = '', listenerMetadata = '' } = profile;
  return {
    program: assembler.bytes((list[0] as Architecture).endian),
    flags,
    unknownSyscalls: unknownNames(parsed.rules, list),
    ...(parsed.hasListener && { listener: { path: listenerPath, metadata: listenerMetadata } }),
  };
}

/** What profiles can ask for. */
export const knownArchitectures: readonly string[] = architectures.map(({ name }) => name);
