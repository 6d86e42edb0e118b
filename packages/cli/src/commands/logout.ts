import { Args } from '@oclif/core';
import { BaseCommand } from '../base-command.ts';
import { registryFlags } from '../flags/registry.ts';

export default class Logout extends BaseCommand {
  static override summary = "Remove a registry's credentials from the files and helpers of Docker and podman";
  static override examples = ['<%= config.bin %> logout registry.example.com'];
  static override args = {
    registry: Args.string({ required: true, ignoreStdin: true, description: 'HOST[:PORT][/NAMESPACE]' }),
  };
  static override flags = { authfile: registryFlags.authfile };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Logout);
    const { logout } = await import('@ocijs/registry');
    const report = await logout(args.registry, {
      authFile: flags.authfile,
      signal: this.signal,
      onEvent: this.progress(flags),
    });
    const places = report.removed.map(({ path, helper }) =>
      [path, helper && `helper ${helper}`].filter((part) => part !== undefined).join(' and '),
    );
    await this.print(flags, {
      json: report,
      quiet: '',
      text:
        places.length === 0
          ? `there were no credentials for ${report.registry}`
          : `logged out of ${report.registry}: removed from ${places.join(', ')}`,
    });
  }
}
