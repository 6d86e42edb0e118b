import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../base-command.ts';
import { platformFlags, wantedPlatform } from '../flags/platform.ts';
import { pullFlags } from '../flags/pull.ts';
import { registryFlags, registryOptions } from '../flags/registry.ts';
import { parseImageName } from '../image-name.ts';
import { openImage, type PullPolicy } from '../images.ts';
import { writeJson } from '../render/json.ts';

export default class Spec extends BaseCommand {
  static override summary = 'Print a runtime configuration (config.json)';
  static override description =
    'Without an image: a default to start from. With one: what `unpack` would write, except that user names need the files of the image and are left to it.';
  static override examples = [
    '<%= config.bin %> spec > bundle/config.json',
    '<%= config.bin %> spec debian:bookworm',
  ];
  static override args = { image: Args.string({ ignoreStdin: true, description: 'Image to make it for' }) };
  static override flags = {
    rootless: Flags.boolean({ default: false, summary: 'For an ordinary user' }),
    ...pullFlags,
    ...platformFlags,
    ...registryFlags,
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Spec);
    const { defaultSpec, specFromImage } = await import('@ocijs/bundle/spec');
    const { rootless } = flags;
    if (args.image === undefined) return writeJson(defaultSpec({ rootless }));
    const image = await openImage(parseImageName(args.image), {
      openStore: () => this.openStore(flags),
      pull: flags.pull as PullPolicy,
      remote: 'read',
      registry: registryOptions(flags),
      ...(await wantedPlatform(flags.platform)),
      signal: this.signal,
      onEvent: this.progress(flags),
    });
    this.endProgress();
    await writeJson(specFromImage(image.config, { rootless }));
  }
}
