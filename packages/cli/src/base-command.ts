import { resolve } from 'node:path';
import type { OnEvent, Store } from '@ocijs/image';
import { Command, type Config, Flags } from '@oclif/core';
import { createCancellation } from './cancellation.ts';
import { environment, isUnattended } from './env.ts';
import { write, writeJson } from './render/json.ts';
import { createProgress, type Progress, type ProgressMode, progressModes } from './render/progress.ts';
import type { RootlessPlan } from './run/rootless.ts';

const group = 'GLOBAL';

export const logLevels = ['error', 'warn', 'info', 'debug'] as const;

/** Parsed global flags. */
export interface GlobalFlagValues {
  readonly store?: string | undefined;
  readonly root?: string | undefined;
  readonly json: boolean;
  readonly progress: string;
  readonly quiet: boolean;
  readonly 'log-level': string;
}

/**
 * What all commands share: the global flags, an abort signal that SIGINT and SIGTERM fire, the progress renderer,
 * and the store, opened when first needed and closed at the end.
 */
export abstract class BaseCommand extends Command {
  static override baseFlags = {
    store: Flags.string({ helpGroup: group, helpValue: 'DIR', summary: 'Image store (else $OCI_STORE)' }),
    root: Flags.string({ helpGroup: group, helpValue: 'DIR', summary: 'Container state (else $OCI_ROOT)' }),
    json: Flags.boolean({ default: false, helpGroup: group, summary: 'Print one JSON document' }),
    progress: Flags.string({
      helpGroup: group,
      options: [...progressModes],
      default: 'auto',
      summary: 'How to show progress on stderr',
    }),
    quiet: Flags.boolean({
      default: false,
      char: 'q',
      helpGroup: group,
      summary: 'Print only the identifier',
    }),
    'log-level': Flags.string({
      helpGroup: group,
      options: [...logLevels],
      default: 'warn',
      summary: 'Least important message to show',
    }),
  };

  /** Runs a command line of this command; what goes wrong is thrown. */
  static async execute(
    this: new (
      argv: string[],
      config: Config,
    ) => BaseCommand,
    argv: readonly string[],
    config: Config,
  ): Promise<void> {
    await new this([...argv], config)._run();
  }

  readonly #resources = new AsyncDisposableStack();
  readonly #cancellation = createCancellation();
  #progress: Progress | undefined;
  #store: Store | undefined;

  /** Fires on SIGINT and SIGTERM; a second one ends the process at once. */
  protected get signal(): AbortSignal {
    return this.#cancellation.signal;
  }

  /** What is started now is going to get the signals: until then, or for a moment, they wait. */
  protected holdSignals(): void {
    this.#cancellation.hold();
  }

  /** From now on the command itself decides what signals mean; the one that waited is its first. */
  protected releaseSignals(): readonly NodeJS.Signals[] {
    return this.#cancellation.release();
  }

  /** Runs this command line again as root of a user namespace, of all ids of the user or of these, and ends as that ends. */
  protected async runInNamespace(flags: GlobalFlagValues, ids?: RootlessPlan): Promise<void> {
    const { runInUserNamespace, storeVariables } = await import('./user-namespace/enter.ts');
    this.releaseSignals();
    const onWarning = (message: string): void => this.remark(flags, `warning: ${message}`);
    process.exitCode = await runInUserNamespace(await storeVariables(flags), { onWarning, ids });
  }

  /** The progress renderer that the flags ask for. */
  protected progress(flags: GlobalFlagValues): OnEvent {
    const isSilent = flags.quiet && flags.progress === 'auto';
    this.#progress ??= createProgress({
      mode: isSilent ? 'none' : (flags.progress as ProgressMode),
      stream: process.stderr,
      unattended: isUnattended(),
      warnings: flags['log-level'] !== 'error',
    });
    return this.#progress.onEvent;
  }

  /** Takes progress bars off the terminal, so that a result can be printed. */
  protected endProgress(): void {
    this.#progress?.finish();
  }

  /** The image store that the flags ask for; closed when the command ends. */
  protected async openStore(flags: GlobalFlagValues): Promise<Store> {
    if (this.#store === undefined) {
      const { openStore } = await import('@ocijs/image');
      this.#store = this.#resources.use(await openStore(flags.store, { env: environment }));
    }
    return this.#store;
  }

  /** Where container state is kept. */
  protected async stateRoot(flags: GlobalFlagValues): Promise<string> {
    if (flags.root !== undefined) return resolve(flags.root);
    const { defaultStateRoot } = await import('@ocijs/runtime');
    return defaultStateRoot(environment);
  }

  /** Prints the result: the JSON document, the identifier alone, or the text for people. */
  protected async print(
    flags: GlobalFlagValues,
    result: { readonly json: unknown; readonly quiet?: string; readonly text: string },
  ): Promise<void> {
    this.endProgress();
    if (flags.json) return writeJson(result.json);
    const text = flags.quiet && result.quiet !== undefined ? result.quiet : result.text;
    if (text !== '') await write(`${text}\n`);
  }

  /** A remark for people, on stderr; `--quiet` leaves it out. */
  protected remark(flags: GlobalFlagValues, text: string): void {
    this.endProgress();
    if (!flags.quiet) process.stderr.write(`${text}\n`);
  }

  /** Failures are reported in one place, `main`. */
  protected override async catch(error: Error): Promise<never> {
    throw this.signal.aborted ? this.signal.reason : error;
  }

  protected override async finally(): Promise<void> {
    this.endProgress();
    this.#cancellation[Symbol.dispose]();
    await this.#resources.disposeAsync();
  }
}

/** The class of a command, as `main` runs it. */
export type CommandClass = typeof BaseCommand & (new (argv: string[], config: Config) => BaseCommand);
