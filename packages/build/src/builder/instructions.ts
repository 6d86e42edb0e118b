import type { MountFlag, StageInstruction } from '../dockerfile/instructions/types.ts';
import type { InstructionNode } from '../dockerfile/syntax/parse.ts';

/** What containers of an image start with; only what is given changes. */
export interface ConfigOptions {
  readonly environment?: Readonly<Record<string, string>> | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  /** Made when it is missing. */
  readonly workingDirectory?: string | undefined;
  readonly user?: string | undefined;
  readonly entrypoint?: readonly string[] | undefined;
  readonly command?: readonly string[] | undefined;
  /** For example `80` or `53/udp`. */
  readonly ports?: readonly string[] | undefined;
  readonly volumes?: readonly string[] | undefined;
  readonly stopSignal?: string | undefined;
}

export interface RunOptions {
  readonly network?: 'none' | 'host' | undefined;
  /** What is mounted while the command runs. */
  readonly mounts?: readonly RunMount[] | undefined;
}

/** A mount of {@link RunOptions}; a `from` names an image. */
export type RunMount = Pick<MountFlag, 'type' | 'target'> & Partial<Omit<MountFlag, 'type' | 'target'>>;

export interface CopyFileOptions {
  /** `user[:group]`, names of the image or numbers. */
  readonly owner?: string | undefined;
  /** As for chmod: `755`, `u=rwX,go=rX`. */
  readonly mode?: string | undefined;
  /** Patterns of what is left out. */
  readonly exclude?: readonly string[] | undefined;
  /** The layer does not depend on those below. */
  readonly link?: boolean | undefined;
}

/** `RUN`, of a command for the shell or a program with its arguments. */
export function runInstruction(
  command: string | readonly string[],
  { network = 'default' as 'none' | 'host', mounts = [] }: RunOptions,
): StageInstruction {
  return {
    kind: 'run',
    node: nodeOf('RUN'),
    command:
      typeof command === 'string'
        ? { shell: true, arguments: [command] }
        : { shell: false, arguments: command },
    mounts: mounts.map(quoteMount),
    network,
    security: 'sandbox',
    devices: [],
  };
}

/** `COPY`. */
export function copyInstruction(
  sources: readonly string[],
  destination: string,
  { from, owner, mode, exclude = [], link = false }: CopyFileOptions & { readonly from?: string | undefined },
): StageInstruction {
  return {
    kind: 'copy',
    node: nodeOf('COPY'),
    sources: sources.map(quote),
    destination: quote(destination),
    files: [],
    exclude: exclude.map(quote),
    link,
    parents: false,
    keepGitDirectory: false,
    ...(from === undefined ? {} : { from }),
    ...(owner === undefined ? {} : { owner: quote(owner) }),
    ...(mode === undefined ? {} : { mode: quote(mode) }),
  };
}

/** The instructions that set a configuration. */
export function configInstructions(options: ConfigOptions): readonly StageInstruction[] {
  const { environment = {}, labels = {}, ports = [], volumes = [] } = options;
  const { workingDirectory, user, entrypoint, command, stopSignal } = options;
  const pairs = (record: Readonly<Record<string, string>>) =>
    Object.entries(record).map(([name, value]) => ({ name: quote(name), value: quote(value) }));
  const text = (kind: 'workdir' | 'user' | 'stopsignal', value: string | undefined): StageInstruction[] =>
    value === undefined ? [] : [{ kind, node: nodeOf(kind.toUpperCase()), text: quote(value) }];
  const start = (
    kind: 'entrypoint' | 'cmd',
    words: readonly string[] | undefined,
  ): readonly StageInstruction[] => {
    if (words === undefined) return [];
    const name = kind.toUpperCase();
    const node = nodeOf(name, `${name} ${JSON.stringify(words)}`);
    return [{ kind, node, command: { shell: false, arguments: words } }];
  };
  return [
    ...(Object.keys(environment).length === 0
      ? []
      : [{ kind: 'env', node: nodeOf('ENV'), pairs: pairs(environment) } as const]),
    ...(Object.keys(labels).length === 0
      ? []
      : [{ kind: 'label', node: nodeOf('LABEL'), pairs: pairs(labels) } as const]),
    ...text('workdir', workingDirectory),
    ...text('user', user),
    ...(ports.length === 0
      ? []
      : [{ kind: 'expose', node: nodeOf('EXPOSE'), values: ports.map(quote) } as const]),
    ...(volumes.length === 0
      ? []
      : [{ kind: 'volume', node: nodeOf('VOLUME'), values: volumes.map(quote) } as const]),
    ...text('stopsignal', stopSignal),
    ...start('entrypoint', entrypoint),
    ...start('cmd', command),
  ];
}

/** An instruction that stands in no file. */
export function nodeOf(name: string, text: string = name): InstructionNode {
  return {
    name,
    keyword: name,
    text,
    flags: [],
    values: [],
    json: false,
    heredocs: [],
    comments: [],
    emptyContinuation: false,
    startLine: 1,
    endLine: 1,
    positionAt: (offset) => ({ line: 1, column: offset + 1 }),
  };
}

/** So that nothing in it is a variable or an escape: what a program passes is meant as it is. */
export function quote(text: string): string {
  return text
    .split("'")
    .map((part) => `'${part}'`)
    .join(`"'"`);
}

function quoteMount(mount: RunMount): MountFlag {
  const texts = (['target', 'source', 'id'] as const).flatMap((name) => {
    const value = mount[name];
    return value === undefined ? [] : [[name, quote(value)] as const];
  });
  return { required: false, ...mount, ...Object.fromEntries(texts) };
}
