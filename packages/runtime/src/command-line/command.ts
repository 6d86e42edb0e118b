import type { CgroupManager } from '../lifecycle/group.ts';
import type { Flags, ParsedArguments } from './arguments.ts';
import type { Log } from './log.ts';

/** What a command is run with. */
export interface CommandContext {
  readonly parsed: ParsedArguments;
  /** `--root`, if it was given. */
  readonly root: string | undefined;
  /** Who makes the cgroups of containers. */
  readonly cgroupManager: CgroupManager;
  readonly log: Log;
  /** Aborted when the command is interrupted before its container runs. */
  readonly signal: AbortSignal;
  /** Writes the command's result. */
  readonly print: (text: string) => void;
  /** Sends this process's signals to another one, instead of aborting the command. */
  readonly forwardSignals: (pid: number) => void;
}

/** One command of the runtime's command line. */
export interface Command {
  readonly usage: string;
  readonly flags: Flags;
  /** The least and most words after the flags. */
  readonly words: readonly [least: number, most: number];
  /** False when the first word ends the flags; what follows belongs to another command. */
  readonly interspersed?: false;
  /** How a failure of its own is told from the exit code of what it runs. */
  readonly failure?: { readonly prefix: string; readonly exitCode: number };
  /** Does the work and returns the exit code. */
  run(context: CommandContext): Promise<number>;
}
