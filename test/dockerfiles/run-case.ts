import type { DockerfileCase } from './case.ts';
import { compareDescriptions, describeFiles, describeImage } from './describe-image.ts';
import type { Workshop } from './workshop.ts';

/** What came of a case. */
export interface CaseResult {
  readonly verdict: 'same' | 'differs as named' | 'unknown to buildah' | 'wrong';
  /** What is wrong, or what differs. */
  readonly lines: readonly string[];
}

/** Builds a case with both builders and compares. */
export async function runCase(workshop: Workshop, one: DockerfileCase): Promise<CaseResult> {
  const ours = await workshop.ours(one);
  if ('failure' in ours) return { verdict: 'wrong', lines: [ours.failure] };
  const unexpected = await checkExpected(ours.image, one);
  if (unexpected.length > 0) return { verdict: 'wrong', lines: unexpected };
  if (one.unknown !== undefined) return { verdict: 'unknown to buildah', lines: [one.unknown] };
  const theirs = await workshop.buildah(one);
  if ('failure' in theirs) return { verdict: 'wrong', lines: [`buildah: ${theirs.failure}`] };
  const differences = compareDescriptions(await describeImage(ours.image), await describeImage(theirs.image));
  const named = one.differs?.what ?? [];
  const isNamed = (line: string): boolean => named.some((start) => line.startsWith(`${start}:`));
  const wrong = [
    ...differences.filter((line) => !isNamed(line)),
    ...named
      .filter((start) => !differences.some((line) => line.startsWith(`${start}:`)))
      .map((start) => `${start} does not differ any more`),
  ];
  if (wrong.length > 0) return { verdict: 'wrong', lines: wrong };
  if (differences.length === 0) return { verdict: 'same', lines: [] };
  return { verdict: 'differs as named', lines: [one.differs?.why ?? ''] };
}

async function checkExpected(
  image: Parameters<typeof describeFiles>[0],
  { expect = {} }: DockerfileCase,
): Promise<readonly string[]> {
  const found = await describeFiles(image, Object.keys(expect));
  return Object.entries(expect)
    .filter(([path, text]) => !(found[path] ?? 'nothing').startsWith(text))
    .map(([path, text]) => `${path} is ${JSON.stringify(found[path])}, not ${JSON.stringify(text)}`);
}
