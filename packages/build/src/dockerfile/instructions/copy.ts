import { type InstructionContext, refuse } from './context.ts';
import { type FlagKinds, readFlags } from './flags.ts';
import type { CopyInstruction, InlineFile } from './types.ts';

const shared = {
  chown: 'text',
  chmod: 'text',
  link: 'boolean',
  parents: 'boolean',
  exclude: 'list',
} as const;
const copyFlags: FlagKinds = { ...shared, from: 'text' };
const addFlags: FlagKinds = { ...shared, checksum: 'text', 'keep-git-dir': 'boolean', unpack: 'boolean' };

/** Reads `COPY` and `ADD`. */
export function readCopy(context: InstructionContext): CopyInstruction {
  const { node } = context;
  const isAdd = node.name === 'ADD';
  const flags = readFlags(context, isAdd ? addFlags : copyFlags);
  if (node.values.length < 2)
    refuse(context, `${node.name} needs at least one source and a destination`, {
      hint: 'for example COPY app/ /app/',
    });
  const files = node.heredocs.map(({ name, content, expand }): InlineFile => ({ name, content, expand }));
  const destination = node.values.at(-1) ?? '';
  // What announces a heredoc is a word of the line, as written; its content is no source of the context.
  const sources = node.values
    .slice(0, -1)
    .filter((value) => !/^\d*<<-?\s*\S/.test(value) || files.length === 0);
  if (/^\d*<<-?\s*\S/.test(destination) && files.length > 0)
    refuse(context, `${node.name} needs a destination after its heredocs`, { token: destination });
  const [from, owner, mode] = [flags.text('from'), flags.text('chown'), flags.text('chmod')];
  const [checksum, unpack] = [flags.text('checksum'), flags.boolean('unpack')];
  return {
    kind: isAdd ? 'add' : 'copy',
    node,
    sources,
    files,
    destination,
    link: flags.boolean('link') ?? false,
    parents: flags.boolean('parents') ?? false,
    exclude: flags.list('exclude'),
    keepGitDirectory: flags.boolean('keep-git-dir') ?? false,
    ...(from === undefined ? {} : { from }),
    ...(owner === undefined ? {} : { owner }),
    ...(mode === undefined ? {} : { mode }),
    ...(checksum === undefined ? {} : { checksum }),
    ...(unpack === undefined ? {} : { unpack }),
  };
}
