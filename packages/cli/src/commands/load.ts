import { Flags } from '@oclif/core';
import { BaseCommand } from '../base-command.ts';
import { reportDocument } from '../describe.ts';
import { archiveInput } from '../images.ts';

export default class Load extends BaseCommand {
  static override summary = 'Bring the images of an archive into the store';
  static override description =
    'Reads what `docker save` and `oci save` write and archives of OCI layouts, plain or compressed with gzip or zstd. The images get the names that the archive gives them; each one is printed.';
  static override examples = [
    '<%= config.bin %> load -i images.tar',
    'docker save app:v1 | <%= config.bin %> load',
    '<%= config.bin %> load -i layout.tar --name app:v1',
  ];
  static override flags = {
    input: Flags.string({
      char: 'i',
      default: '-',
      helpValue: 'FILE',
      summary: 'Archive to read (default: standard input)',
    }),
    name: Flags.string({ helpValue: 'NAME', summary: 'Call the only image of the archive so' }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(Load);
    const input = archiveInput(flags.input);
    const store = await this.openStore(flags);
    const { load } = await import('@ocijs/registry');
    const reports = await load(input, {
      store,
      ...(flags.name === undefined ? {} : { name: flags.name }),
      signal: this.signal,
      onEvent: this.progress(flags),
    });
    await this.print(flags, {
      json: reports.map((report) => ({ ...reportDocument(report), reference: report.name })),
      quiet: reports.map(({ digest }) => digest).join('\n'),
      text: reports.map(({ name, digest }) => `loaded ${name}@${digest}`).join('\n'),
    });
  }
}
