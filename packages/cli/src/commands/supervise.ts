import { Args } from '@oclif/core';
import { BaseCommand } from '../base-command.ts';
import { openContainers } from '../containers/collection.ts';
import { lookAfter } from '../containers/forgotten.ts';
import { releaseMemory } from '../memory.ts';
import { describeFailure } from '../render/failure.ts';
import { runAttached } from '../run/attached.ts';
import { logFileOf, type SupervisorReport } from '../run/detached.ts';

/** Looks after a container in the background until its end; started by `run --detach`, not by people. */
export default class Supervise extends BaseCommand {
  static override hidden = true;
  static override summary = 'Run a prepared container until its end';
  static override args = { id: Args.string({ required: true, ignoreStdin: true }) };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Supervise);
    const { directory } = await this.openStore(flags);
    const containers = openContainers(directory);
    const container = await containers.find(args.id);
    // Before whoever started this one lets go.
    using _care = container.record.remove ? await lookAfter(container.directory) : undefined;
    try {
      await runAttached({
        containers,
        container,
        bundle: container.record.bundle,
        launch: { detach: { logFile: logFileOf(container) }, signal: this.signal },
        onStarted: () => {
          const earlier = this.releaseSignals();
          report({ started: true });
          // From now on it only waits, for as long as the container runs.
          releaseMemory();
          return earlier;
        },
      });
    } catch (error) {
      report({ failure: describeFailure(error) });
      throw error;
    }
  }
}

function report(message: SupervisorReport): void {
  if (process.connected) process.send?.(message);
}
