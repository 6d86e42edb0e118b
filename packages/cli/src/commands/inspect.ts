import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../base-command.ts';
import { describeImage, formatDescription } from '../describe.ts';
import { platformFlags, wantedPlatform } from '../flags/platform.ts';
import { pullFlags } from '../flags/pull.ts';
import { registryFlags, registryOptions } from '../flags/registry.ts';
import { parseImageName } from '../image-name.ts';
import { openImage, type PullPolicy } from '../images.ts';
import { write } from '../render/json.ts';

export default class Inspect extends BaseCommand {
  static override summary = 'Show name, digest, platform, configuration and layers of an image';
  static override examples = [
    '<%= config.bin %> inspect debian',
    '<%= config.bin %> inspect --raw debian | sha256sum',
  ];
  static override args = {
    image: Args.string({
      required: true,
      ignoreStdin: true,
      description: 'NAME, docker://NAME, oci:DIR[:TAG], oci-archive:FILE, docker-archive:FILE or dir:DIR',
    }),
  };
  static override flags = {
    raw: Flags.boolean({
      default: false,
      summary: 'Print the manifest byte for byte',
      exclusive: ['config', 'json'],
    }),
    config: Flags.boolean({
      default: false,
      summary: 'Print the image configuration byte for byte',
      exclusive: ['raw', 'json'],
    }),
    ...pullFlags,
    ...platformFlags,
    ...registryFlags,
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Inspect);
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
    if (flags.raw) return write(image.rawManifest);
    if (flags.config) return write(image.rawConfig);
    const description = describeImage(image);
    await this.print(flags, {
      json: description,
      quiet: description.digest,
      text: formatDescription(description),
    });
  }
}
