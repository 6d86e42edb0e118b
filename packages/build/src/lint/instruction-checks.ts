import type { PairsInstruction } from '../dockerfile/instructions/types.ts';
import { allInstructions, type Check, instructionsOf } from './types.ts';

/** All in capitals or all in small letters, whichever the file has more of. */
export const consistentInstructionCasing: Check = ({ dockerfile }, report) => {
  const instructions = allInstructions(dockerfile);
  const isLower = (keyword: string): boolean => keyword === keyword.toLowerCase();
  const isUpper = (keyword: string): boolean => keyword === keyword.toUpperCase();
  const lower = instructions.filter(({ node }) => isLower(node.keyword)).length;
  const upper = instructions.filter(({ node }) => isUpper(node.keyword)).length;
  const wanted = lower > upper ? 'lowercase' : 'uppercase';
  for (const instruction of instructions) {
    const { keyword } = instruction.node;
    if (wanted === 'lowercase' ? isLower(keyword) : isUpper(keyword)) continue;
    report(instruction, `Command '${keyword}' should match the case of the command majority (${wanted})`);
  }
};

export const exposeProtoCasing: Check = ({ dockerfile }, report) => {
  for (const instruction of allInstructions(dockerfile)) {
    if (instruction.kind !== 'expose') continue;
    for (const value of instruction.values)
      if (/\/.*[A-Z]/.test(value.replace(/\$\{?\w+\}?/g, '')))
        report(instruction, `Defined protocol '${value}' in EXPOSE instruction should be lowercase`);
  }
};

export const exposeInvalidFormat: Check = ({ dockerfile }, report) => {
  for (const instruction of allInstructions(dockerfile)) {
    if (instruction.kind !== 'expose') continue;
    for (const value of instruction.values)
      if (value.includes(':'))
        report(
          instruction,
          `EXPOSE instruction should not define an IP address or host-port mapping, found '${value}'`,
        );
  }
};

export const legacyKeyValueFormat: Check = ({ dockerfile }, report) => {
  for (const instruction of allInstructions(dockerfile)) {
    if (instruction.kind !== 'env' && instruction.kind !== 'label') continue;
    if (!isLegacy(instruction)) continue;
    const { name } = instruction.node;
    report(instruction, `"${name} key=value" should be used instead of legacy "${name} key value" format`);
  }
};

/** The separator is an empty text where no `=` was written. */
function isLegacy({ node }: PairsInstruction): boolean {
  return node.values[2] === '';
}

export const maintainerDeprecated: Check = ({ dockerfile }, report) => {
  for (const instruction of allInstructions(dockerfile))
    if (instruction.kind === 'maintainer')
      report(instruction, 'Maintainer instruction is deprecated in favor of using label');
};

export const noEmptyContinuation: Check = ({ dockerfile }, report) => {
  for (const instruction of allInstructions(dockerfile))
    if (instruction.node.emptyContinuation)
      report(instruction, `Empty continuation line found in: ${instruction.node.text.trim()}`);
};

/** A shell that the stage chose itself is meant to be there. */
export const jsonArgsRecommended: Check = ({ dockerfile }, report) => {
  for (const stage of dockerfile.stages) {
    const ownShell = stage.instructions.some(({ kind }) => kind === 'shell');
    for (const instruction of stage.instructions) {
      if (instruction.kind !== 'cmd' && instruction.kind !== 'entrypoint') continue;
      if (instruction.command.shell && !ownShell && instruction.command.arguments.length > 0)
        report(
          instruction,
          `JSON arguments recommended for ${instruction.node.name} to prevent unintended behavior related to OS signals`,
        );
    }
  }
};

/** Of several in one stage only the last one counts. */
export const multipleInstructionsDisallowed: Check = ({ dockerfile }, report) => {
  for (const stage of dockerfile.stages)
    for (const kind of ['cmd', 'entrypoint', 'healthcheck'] as const) {
      const found = instructionsOf(stage).filter((instruction) => instruction.kind === kind);
      for (const instruction of found.slice(0, -1))
        report(
          instruction,
          `Multiple ${instruction.node.name} instructions should not be used in the same stage because only the last one will be used`,
        );
    }
};

/** A relative directory depends on the base, until the stage has set an absolute one. */
export const workdirRelativePath: Check = ({ dockerfile }, report) => {
  for (const { instructions } of dockerfile.stages)
    for (const instruction of instructions) {
      if (instruction.kind !== 'workdir') continue;
      if (/^[/$]|^[A-Za-z]:/.test(instruction.text)) break;
      report(
        instruction,
        `Relative workdir '${instruction.text}' can have unexpected results if the base image changes`,
      );
    }
};

const secretName = /(?:^|_)(?:apikey|auth|credentials?|key|password|pword|passwd|secret|token)(?:_|$)/i;
const harmlessName = /(?:^|_)(?:public)(?:_|$)/i;

export const secretsUsedInArgOrEnv: Check = ({ dockerfile }, report) => {
  for (const instruction of allInstructions(dockerfile)) {
    const isArg = instruction.kind === 'arg';
    if (!isArg && instruction.kind !== 'env') continue;
    const names = isArg ? instruction.declarations : instruction.pairs;
    for (const { name } of names)
      if (secretName.test(name) && !harmlessName.test(name))
        report(
          instruction,
          `Do not use ARG or ENV instructions for sensitive data (${instruction.node.name} "${name}")`,
        );
  }
};

export const copyIgnoredFile: Check = ({ dockerfile, ignore }, report) => {
  if (ignore === undefined) return;
  for (const instruction of allInstructions(dockerfile)) {
    if (instruction.kind !== 'copy' && instruction.kind !== 'add') continue;
    if (instruction.from !== undefined) continue;
    for (const source of instruction.sources) {
      const isLocal = !/^[a-z][a-z0-9+.-]*:\/\/|^git@/i.test(source);
      const path = source.replace(/^(?:\.?\/)+|\/+$/g, '');
      if (isLocal && path !== '' && path !== '.' && ignore.ignores(path))
        report(
          instruction,
          `Attempting to ${instruction.node.name === 'ADD' ? 'Add' : 'Copy'} file "${source}" that is excluded by .dockerignore`,
        );
    }
  }
};

/** A comment right above a stage or an argument describes it. */
export const invalidDefinitionDescription: Check = ({ dockerfile }, report) => {
  for (const instruction of allInstructions(dockerfile)) {
    const { node } = instruction;
    const [name, what] =
      instruction.kind === 'from'
        ? [instruction.stageName, 'stage']
        : [instruction.kind === 'arg' ? instruction.declarations[0]?.name : undefined, 'argument'];
    const last = node.comments.at(-1);
    if (name === undefined || last?.line !== node.startLine - 1) continue;
    if (node.comments.some(({ text }) => text.toLowerCase().startsWith(`${name.toLowerCase()} `))) continue;
    report(
      instruction,
      `Comment for build ${what} should follow the format: \`# ${name} <description>\`. If this is not intended to be a description comment, add an empty line or comment between the instruction and the comment.`,
    );
  }
};
