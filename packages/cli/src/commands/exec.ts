import { Flags } from '@oclif/core';
import { BaseCommand } from '../base-command.ts';
import { openContainers } from '../containers/collection.ts';
import { environment } from '../env.ts';
import { usageError } from '../errors.ts';
import { containerArgument } from '../flags/containers.ts';
import { afterCut } from '../run/cut.ts';
import { readEnvironment } from '../run/environment.ts';
import { execAttached, execDetached } from '../run/exec.ts';
import { runFlags } from '../run/flags.ts';
import { requireTerminal } from '../run/terminal.ts';

export default class Exec extends BaseCommand {
  static override summary = 'Run a command in a running container';
  static override description =
    "The command runs beside the container's own: in its namespaces, with its limits, environment, directory and user where no flag says otherwise. Flags end at the container: what follows belongs to the command. Exits with the command's code, 128+n after signal n, 125 when it could not be started, 126 and 127 when it cannot be executed or is missing.";
  static override usage = ['exec [FLAGS] CONTAINER COMMAND [ARG...]'];
  static override examples = [
    '<%= config.bin %> exec -it web sh',
    '<%= config.bin %> exec --user postgres -w /var/lib database pg_dump app',
    '<%= config.bin %> exec -d -e LEVEL=debug web worker --once',
  ];
  static override strict = false;
  static override args = containerArgument;
  static override flags = {
    interactive: runFlags.interactive,
    tty: runFlags.tty,
    detach: Flags.boolean({ default: false, char: 'd', summary: 'Leave it running in the background' }),
    env: runFlags.env,
    'env-file': runFlags['env-file'],
    workdir: runFlags.workdir,
    user: runFlags.user,
    privileged: Flags.boolean({ default: false, summary: 'Give the command all capabilities' }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(Exec);
    const [typed = '', ...command] = afterCut(this.argv);
    if (command.length === 0) {
      throw usageError('exec needs a container and a command', 'oci exec [FLAGS] CONTAINER COMMAND [ARG...]');
    }
    requireTerminal(flags);
    const variables = await readEnvironment(flags, environment);
    const { directory } = await this.openStore(flags);
    const container = await openContainers(directory).find(typed);
    const request = { flags, command, variables, signal: this.signal };
    if (flags.detach) {
      const pid = await execDetached(container, request);
      await this.print(flags, { json: { id: container.record.id, pid }, text: '' });
      return;
    }
    process.exitCode = await execAttached(container, {
      ...request,
      onStarting: () => this.holdSignals(),
      onStarted: () => this.releaseSignals(),
    });
  }
}
