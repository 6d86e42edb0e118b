import type { StageInstruction } from '../dockerfile/instructions/types.ts';
import { withoutCredentials } from '../without-credentials.ts';

/** An instruction in one line, for the history and for messages, with its variables replaced. */
export function describeStep(instruction: StageInstruction): string {
  switch (instruction.kind) {
    case 'run': {
      const { shell, arguments: words } = instruction.command;
      const flags = instruction.node.flags.map((flag) => `${flag} `).join('');
      return `RUN ${flags}${shell ? oneLine(words.join(' ')) : JSON.stringify(words)}`;
    }
    case 'copy':
    case 'add': {
      const sources = [
        ...instruction.sources.map(withoutCredentials),
        ...instruction.files.map(({ name }) => `<<${name}`),
      ];
      const flags = instruction.node.flags.map((flag) => `${flag} `).join('');
      return `${instruction.node.name} ${flags}${[...sources, instruction.destination].join(' ')}`;
    }
    case 'env':
    case 'label':
      return `${instruction.node.name} ${instruction.pairs.map(({ name, value }) => `${name}=${value}`).join(' ')}`;
    case 'expose':
    case 'volume':
      return `${instruction.node.name} ${instruction.values.join(' ')}`;
    case 'user':
    case 'workdir':
    case 'stopsignal':
    case 'maintainer':
      return `${instruction.node.name} ${instruction.text}`;
    default:
      return oneLine(instruction.node.text.trim());
  }
}

function oneLine(text: string): string {
  return text.trim().replace(/\s*\n\s*/g, '; ');
}
