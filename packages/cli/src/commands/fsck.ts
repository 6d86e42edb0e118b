import { Flags } from '@oclif/core';
import { BaseCommand } from '../base-command.ts';
import { CliError } from '../errors.ts';
import { formatBytes } from '../render/bytes.ts';
import { printable } from '../render/text.ts';

export default class Fsck extends BaseCommand {
  static override summary = 'Check every blob and every image of the store';
  static override description =
    'Reads the whole store and computes each digest again. Exits with 1 when a blob is damaged or missing, and lists each of them. Other processes may use the store meanwhile.';
  static override examples = ['<%= config.bin %> fsck', '<%= config.bin %> fsck --repair'];
  static override flags = {
    repair: Flags.boolean({
      default: false,
      summary: 'Move damaged blobs to quarantine/, so that a pull fetches them again',
    }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(Fsck);
    const store = await this.openStore(flags);
    const { checkStore } = await import('@ocijs/image');
    const report = await checkStore(store, { repair: flags.repair, signal: this.signal });
    const result = { store: store.directory, ...report };
    const lines = report.problems.map(({ kind, message, quarantined }) => {
      const moved = quarantined === undefined ? '' : `; moved to ${quarantined}`;
      return `${kind}: ${printable(message)}${moved}`;
    });
    const read = `${report.blobs} blobs, ${formatBytes(report.bytes)}`;
    if (report.sound) {
      const text = [...lines, `${store.directory} is sound: ${read}`].join('\n');
      return this.print(flags, { json: result, quiet: '', text });
    }
    this.endProgress();
    if (!flags.json) process.stdout.write(`${lines.join('\n')}\n`);
    const count = report.problems.filter(({ kind }) => kind !== 'stray-file').length;
    throw new CliError(
      'ERR_OCI_VALIDATION_FAILED',
      `${store.directory} has ${count} problem${count === 1 ? '' : 's'} in ${read}`,
      {
        hint: flags.repair
          ? 'pull the images that need these blobs again, then run `oci fsck` again'
          : '`oci fsck --repair` puts damaged blobs away; then pull their images again',
        result,
      },
    );
  }
}
