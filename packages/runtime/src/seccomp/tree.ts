import type { Architecture } from './architectures.ts';
import type { Assembler, Target } from './assembler.ts';
import { compare } from './compare.ts';
import { isSameVerdict, type Range, verdictKey } from './ranges.ts';
import type { Verdict } from './rules.ts';

/** Puts the tests of one system call's arguments in front. */
function chain(assembler: Assembler, verdict: Verdict, architecture: Architecture): Target {
  let otherwise: Target = { returns: verdict.otherwise };
  for (const { action, conditions } of verdict.rules.toReversed()) {
    let target: Target = { returns: action };
    for (const condition of conditions.toReversed()) {
      target = compare(assembler, condition, { yes: target, no: otherwise, architecture });
    }
    otherwise = target;
  }
  return otherwise;
}

/** What a tree is made of; `architectureAt` tells whose arguments a number's system call has. */
export interface TreeOptions {
  readonly ranges: readonly Range[];
  readonly architectureAt: (number: number) => Architecture;
}

/**
 * Puts a search for the system call's number in front: a balanced tree over the ranges, so that every call takes about
 * as many steps. The accumulator holds the number when it is entered.
 */
export function searchTree(assembler: Assembler, { ranges, architectureAt }: TreeOptions): Target {
  const chains = new Map<string, Target>();

  function leaf({ from, verdict }: Range): Target {
    if (verdict.rules.length === 0) return { returns: verdict.otherwise };
    const architecture = architectureAt(from);
    const key = `${architecture.bits} ${verdictKey(verdict)}`;
    const known = chains.get(key);
    if (known !== undefined) return known;
    const target = chain(assembler, verdict, architecture);
    chains.set(key, target);
    return target;
  }

  function node(part: readonly Range[]): Target {
    const [first, second, third] = part as [Range, Range?, Range?];
    if (second === undefined) return leaf(first);
    const isIsland = third !== undefined && part.length === 3 && third.from === second.from + 1;
    if (isIsland && isSameVerdict(first.verdict, third.verdict)) {
      return assembler.jump('jumpEqual', second.from, { yes: leaf(second), no: leaf(first) });
    }
    const middle = part.length >> 1;
    const right = part.slice(middle);
    const yes = node(right);
    const no = node(part.slice(0, middle));
    return assembler.jump('jumpGreaterOrEqual', (right[0] as Range).from, { yes, no });
  }

  return node(ranges);
}
