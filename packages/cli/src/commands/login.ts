import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../base-command.ts';
import { registryFlags, registryOptions } from '../flags/registry.ts';
import { readCredentials } from '../login-credentials.ts';

export default class Login extends BaseCommand {
  static override summary = 'Check credentials for a registry and keep them where Docker and podman look';
  static override examples = [
    '<%= config.bin %> login registry.example.com',
    '<%= config.bin %> login --username ann --password-stdin registry.example.com < password.txt',
  ];
  static override args = {
    registry: Args.string({
      required: true,
      ignoreStdin: true,
      description: 'HOST[:PORT], or HOST[:PORT]/NAMESPACE for podman',
    }),
  };
  static override flags = {
    username: Flags.string({ char: 'u', helpValue: 'USER', summary: 'User name' }),
    password: Flags.string({
      char: 'p',
      helpValue: 'PASS',
      summary: 'Password; everybody on the machine can see it in the process list',
    }),
    'password-stdin': Flags.boolean({ default: false, summary: 'Read the password from standard input' }),
    ...registryFlags,
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Login);
    if (flags.password !== undefined) {
      this.remark(
        flags,
        'warning: --password can be seen in the process list and stays in the shell history; use --password-stdin',
      );
    }
    const options = registryOptions(flags);
    const credentials =
      options.credentials !== undefined && 'username' in options.credentials
        ? options.credentials
        : await readCredentials(flags, this.signal);
    const { login } = await import('@ocijs/registry');
    const report = await login(args.registry, {
      ...options,
      credentials,
      signal: this.signal,
      onEvent: this.progress(flags),
    });
    const { registry, username, path, helper } = report;
    const place = helper === undefined ? path : `credential helper ${helper}`;
    await this.print(flags, {
      json: report,
      quiet: '',
      text: `logged in to ${registry} as ${username}, kept in ${place}`,
    });
    if (helper === undefined) {
      this.remark(flags, `the password is not encrypted in ${path}; a credential helper keeps it safer`);
    }
  }
}
