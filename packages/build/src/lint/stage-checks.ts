import type { FromInstruction } from '../dockerfile/instructions/types.ts';
import type { Check } from './types.ts';

/** The name as it is written: stages are found regardless of case. */
function writtenName({ node }: FromInstruction): string | undefined {
  return node.values[2];
}

export const duplicateStageName: Check = ({ dockerfile }, report) => {
  const seen = new Set<string>();
  for (const { from } of dockerfile.stages) {
    if (from.stageName === undefined) continue;
    if (seen.has(from.stageName))
      report(from, `Duplicate stage name '${writtenName(from)}', stage names should be unique`);
    seen.add(from.stageName);
  }
};

export const stageNameCasing: Check = ({ dockerfile }, report) => {
  for (const { from } of dockerfile.stages) {
    const name = writtenName(from);
    if (name !== undefined && name !== name.toLowerCase())
      report(from, `Stage name '${name}' should be lowercase`);
  }
};

const reserved = new Set(['scratch', 'context']);

export const reservedStageName: Check = ({ dockerfile }, report) => {
  for (const { from } of dockerfile.stages)
    if (from.stageName !== undefined && reserved.has(from.stageName))
      report(from, `Stage name should not use the same name as reserved stage '${from.stageName}'`);
};

export const fromAsCasing: Check = ({ dockerfile }, report) => {
  for (const { from } of dockerfile.stages) {
    const [, as] = from.node.values;
    if (as === undefined) continue;
    const { keyword } = from.node;
    const isUpper = keyword === keyword.toUpperCase();
    if (as !== (isUpper ? as.toUpperCase() : as.toLowerCase()))
      report(from, `'${as}' and '${keyword}' keywords' casing do not match`);
  }
};

export const fromPlatformFlagConstDisallowed: Check = ({ dockerfile }, report) => {
  for (const { from } of dockerfile.stages) {
    if (from.platform === undefined || from.platform.includes('$')) continue;
    // A stage that says in its name which platform it is for is meant to be fixed.
    const parts = from.platform.toLowerCase().split('/');
    if (parts.some((part) => from.stageName?.includes(part))) continue;
    report(from, `FROM --platform flag should not use constant value "${from.platform}"`);
  }
};

export const redundantTargetPlatform: Check = ({ dockerfile }, report) => {
  for (const { from } of dockerfile.stages)
    if (/^\$\{?TARGETPLATFORM\}?$/.test(from.platform ?? ''))
      report(
        from,
        'Setting platform to predefined $TARGETPLATFORM in FROM is redundant as this is the default behavior',
      );
};
