import { Args } from '@oclif/core';
import { BaseCommand } from '../base-command.ts';

export default class Tag extends BaseCommand {
  static override summary = 'Give an image of the store one more name';
  static override description = 'A name that belongs to another image moves to this one.';
  static override examples = ['<%= config.bin %> tag debian:bookworm registry.example.com/base:1'];
  static override args = {
    source: Args.string({ required: true, ignoreStdin: true, description: 'NAME[:TAG] or digest' }),
    target: Args.string({ required: true, ignoreStdin: true, description: 'NAME[:TAG]' }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Tag);
    const { tagImage } = await import('@ocijs/image');
    const store = await this.openStore(flags);
    const { target } = args;
    const { name, descriptor } = await tagImage(store, args.source, { target, signal: this.signal });
    await this.print(flags, {
      json: { name, digest: descriptor.digest },
      quiet: descriptor.digest,
      text: `${name} is ${descriptor.digest}`,
    });
  }
}
