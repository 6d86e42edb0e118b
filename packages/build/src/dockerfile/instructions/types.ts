import type { ExecutionConfig, TarWriteEntry } from '@ocijs/image';
import type { InstructionNode } from '../syntax/parse.ts';

/** What all instructions have: the place where they are written. */
interface Written {
  readonly node: InstructionNode;
}

/** A name with its value, as written: nothing is expanded. */
export interface Pair {
  readonly name: string;
  readonly value: string;
}

/** A command for a shell (`shell`), or a program with its arguments. */
export interface Command {
  readonly shell: boolean;
  readonly arguments: readonly string[];
}

/** A file whose content stands in the Dockerfile. */
export interface InlineFile {
  readonly name: string;
  readonly content: string;
  /** Variables in it are replaced. */
  readonly expand: boolean;
}

export interface FromInstruction extends Written {
  readonly kind: 'from';
  readonly base: string;
  /** Lower case, as stages are found regardless of case. */
  readonly stageName?: string;
  readonly platform?: string;
}

export interface ArgInstruction extends Written {
  readonly kind: 'arg';
  readonly declarations: readonly { readonly name: string; readonly value?: string }[];
}

export interface PairsInstruction extends Written {
  readonly kind: 'env' | 'label';
  readonly pairs: readonly Pair[];
}

export interface CopyInstruction extends Written {
  readonly kind: 'copy' | 'add';
  readonly sources: readonly string[];
  readonly files: readonly InlineFile[];
  readonly destination: string;
  readonly from?: string;
  readonly owner?: string;
  readonly mode?: string;
  readonly link: boolean;
  readonly parents: boolean;
  readonly exclude: readonly string[];
  /** `ADD` only. */
  readonly checksum?: string;
  readonly keepGitDirectory: boolean;
  /** `ADD` only: whether archives are unpacked; by itself, local ones are and remote ones are not. */
  readonly unpack?: boolean;
}

/** One `--mount` of `RUN`, its texts as written. */
export interface MountFlag {
  readonly type: 'bind' | 'cache' | 'tmpfs' | 'secret' | 'ssh';
  readonly target?: string;
  readonly source?: string;
  readonly from?: string;
  readonly id?: string;
  readonly readonly?: boolean;
  readonly required: boolean;
  readonly sharing?: 'shared' | 'private' | 'locked';
  /** Bytes, of a tmpfs. */
  readonly size?: number;
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  /** The variable that a secret is given in, instead of or beside a file. */
  readonly environment?: string;
}

/** One `--device` of `RUN`: a device that this host describes for containers (CDI). */
export interface DeviceFlag {
  readonly name: string;
  /** Without it, the step runs also where there is no such device. */
  readonly required: boolean;
}

export interface RunInstruction extends Written {
  readonly kind: 'run';
  readonly command: Command;
  readonly mounts: readonly MountFlag[];
  readonly network: 'default' | 'none' | 'host';
  readonly security: 'sandbox' | 'insecure';
  readonly devices: readonly DeviceFlag[];
}

export interface CommandInstruction extends Written {
  readonly kind: 'cmd' | 'entrypoint';
  readonly command: Command;
}

export interface ListInstruction extends Written {
  readonly kind: 'expose' | 'volume';
  readonly values: readonly string[];
}

export interface TextInstruction extends Written {
  readonly kind: 'user' | 'workdir' | 'stopsignal' | 'maintainer';
  readonly text: string;
}

export interface ShellInstruction extends Written {
  readonly kind: 'shell';
  readonly shell: readonly string[];
}

export interface HealthcheckInstruction extends Written {
  readonly kind: 'healthcheck';
  /** The test as an image config holds it: `NONE`, or `CMD` or `CMD-SHELL` and what follows. */
  readonly test: readonly string[];
  /** Nanoseconds; 0 means the default. */
  readonly interval: number;
  readonly timeout: number;
  readonly startPeriod: number;
  readonly startInterval: number;
  readonly retries: number;
}

export interface OnbuildInstruction extends Written {
  readonly kind: 'onbuild';
  /** As an image config keeps it. */
  readonly text: string;
}

/** Files that a program has chosen itself, as a layer that does not depend on those below. No Dockerfile has this. */
export interface FilesInstruction extends Written {
  readonly kind: 'files';
  readonly files: LayerFiles;
}

/** What becomes a layer. */
export interface LayerFiles {
  /** The same for the same files. */
  digest(options: { readonly signal?: AbortSignal | undefined }): Promise<string>;
  entries(options: { readonly signal?: AbortSignal | undefined }): AsyncIterable<TarWriteEntry>;
}

/** Several settings at once, by a program. No Dockerfile has this. */
export interface SettingsInstruction extends Written {
  readonly kind: 'settings';
  readonly change: (config: ExecutionConfig) => ExecutionConfig;
}

/** An instruction with meaning: flags are known and of the right form, but variables are still as written. */
export type Instruction =
  | FromInstruction
  | ArgInstruction
  | PairsInstruction
  | CopyInstruction
  | RunInstruction
  | CommandInstruction
  | ListInstruction
  | TextInstruction
  | ShellInstruction
  | HealthcheckInstruction
  | OnbuildInstruction
  | FilesInstruction
  | SettingsInstruction;

/** What a stage may hold after its `FROM`. */
export type StageInstruction = Exclude<Instruction, FromInstruction>;
