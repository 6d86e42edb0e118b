import { Args, Flags } from '@oclif/core';
import { BaseCommand, type GlobalFlagValues } from '../base-command.ts';
import { CliError } from '../errors.ts';
import { platformFlags, wantedPlatform } from '../flags/platform.ts';
import { type RegistryFlagValues, registryFlags, registryOptions } from '../flags/registry.ts';
import { parseImageName } from '../image-name.ts';
import { sourceLocation } from '../locations.ts';
import { printable } from '../render/text.ts';
import { type Finding, kindOf, validateBundle, validateLayout } from '../validation.ts';

type Values = GlobalFlagValues &
  RegistryFlagValues & { readonly platform?: string | undefined; readonly 'all-platforms': boolean };

export default class Validate extends BaseCommand {
  static override summary = 'Check an image, a layout or a bundle against the specifications';
  static override description =
    'An image, wherever it is, is read completely and not stored, and every digest, size and diff id in it is computed again. A directory with a config.json is checked as a bundle, one with an oci-layout as a layout with all its images. Exits with 1 when anything is wrong.';
  static override examples = [
    '<%= config.bin %> validate debian:bookworm',
    '<%= config.bin %> validate --all-platforms docker://registry.example.com/team/app:1',
    '<%= config.bin %> validate docker-archive:app.tar',
    '<%= config.bin %> validate ./bundle',
  ];
  static override args = {
    image: Args.string({
      required: true,
      ignoreStdin: true,
      description: 'Image name, bundle directory or OCI layout',
    }),
  };
  static override flags = {
    'all-platforms': Flags.boolean({
      default: false,
      summary: 'Check the index and all that it refers to',
      exclusive: ['platform'],
    }),
    ...platformFlags,
    ...registryFlags,
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Validate);
    const findings = await this.#findings(args.image, flags);
    if (findings.length === 0) {
      await this.print(flags, {
        json: { valid: true, violations: [] },
        quiet: '',
        text: `${args.image} is valid`,
      });
      return;
    }
    this.endProgress();
    if (!flags.json) {
      for (const { jsonPath, code, message } of findings) {
        process.stdout.write(`${printable(jsonPath)}: ${printable(message)} (${code})\n`);
      }
    }
    const count = `${findings.length} violation${findings.length === 1 ? '' : 's'}`;
    throw new CliError('ERR_OCI_VALIDATION_FAILED', `${args.image} has ${count}`, {
      result: { valid: false, violations: findings },
    });
  }

  async #findings(text: string, flags: Values): Promise<readonly Finding[]> {
    const { signal } = this;
    const kind = await kindOf(text);
    if (kind === 'bundle') return validateBundle(text);
    if (kind === 'layout') return validateLayout(text, { signal });
    const { validate } = await import('@ocijs/registry');
    const location = await sourceLocation(parseImageName(text), () => this.openStore(flags));
    return validate(location, {
      ...registryOptions(flags),
      ...(await wantedPlatform(flags.platform)),
      allPlatforms: flags['all-platforms'],
      signal,
      onEvent: this.progress(flags),
    });
  }
}
