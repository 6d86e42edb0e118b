import { actionValue } from './actions.ts';
import { type Architecture, syscallNumber } from './architectures.ts';
import { type Condition, readCondition } from './conditions.ts';
import { multiplexerRule } from './multiplexers.ts';
import type { ProfileSyscall } from './types.ts';

/** An action for some system calls under conditions that all have to hold; without conditions it always applies. */
export interface Rule {
  readonly names: readonly string[];
  readonly action: number;
  readonly conditions: readonly Condition[];
}

/**
 * What happens to one system call: the action of the first of these rules whose conditions hold, else `otherwise`.
 */
export interface Verdict {
  readonly rules: readonly Omit<Rule, 'names'>[];
  readonly otherwise: number;
}

/**
 * One entry of `syscalls` as rules. Conditions on different arguments have to hold together; as soon as two are on
 * the same argument, each is a rule of its own, as runc does for profiles from before there were several.
 */
export function readRules(entry: ProfileSyscall, jsonPath: string): Rule[] {
  const { names, args = [] } = entry;
  const action = actionValue({
    action: entry.action,
    errnoRet: entry.errnoRet,
    jsonPath: `${jsonPath}.action`,
  });
  const conditions = args.map((argument, index) => readCondition(argument, `${jsonPath}.args[${index}]`));
  const isDisjunction = new Set(conditions.map(({ index }) => index)).size < conditions.length;
  if (!isDisjunction) return [{ names, action, conditions }];
  return conditions.map((condition) => ({ names, action, conditions: [condition] }));
}

/** All rules that concern one architecture. */
export interface ArchitectureRules {
  readonly verdicts: ReadonlyMap<number, Verdict>;
  /** The largest system call that the profile names, with whatever action; -1 for none. */
  readonly largest: number;
}

type OneCall = Omit<Rule, 'names'> & { readonly name: string };

/** The rules by system call number, those for a multiplexed call also at the multiplexer. */
function numbered(architecture: Architecture, rule: OneCall, defaultAction: number): [number, Rule][] {
  const { name, action, conditions } = rule;
  const result: [number, Rule][] = [];
  const direct = syscallNumber(architecture, name);
  if (direct !== undefined) result.push([direct, { names: [name], action, conditions }]);
  if (!architecture.multiplexes) return result;
  const isConditional = conditions.length > 0;
  const through = multiplexerRule(name, { action, isConditional, defaultAction });
  const number = through && syscallNumber(architecture, through.syscall);
  if (number === undefined || through === undefined) return result;
  return [...result, [number, { names: [through.syscall], action, conditions: [through.condition] }]];
}

function verdictOf(rules: readonly Rule[], defaultAction: number): Verdict {
  // As in libseccomp a rule without conditions counts more than any with, and the first of them more than later ones.
  const always = rules.find(({ conditions }) => conditions.length === 0);
  if (always !== undefined) return { rules: [], otherwise: always.action };
  return { rules, otherwise: defaultAction };
}

/**
 * What happens to each system call that the rules name. Rules with the default action are left out, as in runc, even
 * where another rule for the same call has another action.
 */
export function architectureRules(
  architecture: Architecture,
  { rules, defaultAction }: { readonly rules: readonly Rule[]; readonly defaultAction: number },
): ArchitectureRules {
  const byNumber = new Map<number, Rule[]>();
  let largest = -1;
  for (const { names, action, conditions } of rules) {
    for (const name of names) {
      for (const [number, rule] of numbered(architecture, { name, action, conditions }, defaultAction)) {
        largest = Math.max(largest, number);
        if (action === defaultAction) continue;
        const list = byNumber.get(number);
        if (list === undefined) byNumber.set(number, [rule]);
        else list.push(rule);
      }
    }
  }
  const verdicts = new Map<number, Verdict>();
  for (const [number, list] of byNumber) verdicts.set(number, verdictOf(list, defaultAction));
  return { verdicts, largest };
}
