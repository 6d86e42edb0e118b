import { open, rm } from 'node:fs/promises';
import { Flags } from '@oclif/core';
import { BaseCommand } from '../base-command.ts';
import { keyPasswordFlags } from '../flags/key-password.ts';
import { keyPassword } from '../key-password.ts';

export default class GenerateKeyPair extends BaseCommand {
  static override summary = 'Make a key for oci sign, in the form of cosign';
  static override description =
    'Writes an encrypted private key and a public key, ECDSA P-256. Files that exist are not replaced.';
  static override examples = [
    '<%= config.bin %> generate-key-pair',
    '<%= config.bin %> generate-key-pair --output-key-prefix release',
  ];
  static override flags = {
    'output-key-prefix': Flags.string({
      default: 'cosign',
      helpValue: 'PATH',
      summary: 'The files are PATH.key and PATH.pub',
    }),
    ...keyPasswordFlags,
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(GenerateKeyPair);
    const { signal } = this;
    const { generateKeyPair } = await import('@ocijs/registry');
    const prefix = flags['output-key-prefix'];
    const paths = { privateKey: `${prefix}.key`, publicKey: `${prefix}.pub` };
    const password = await keyPassword({ file: flags['key-password-file'], purpose: 'new', signal });
    const pair = await generateKeyPair({ password });
    await writeNew(paths.privateKey, { text: pair.privateKey, mode: 0o600 });
    try {
      await writeNew(paths.publicKey, { text: pair.publicKey, mode: 0o644 });
    } catch (error) {
      await rm(paths.privateKey);
      throw error;
    }
    await this.print(flags, {
      json: paths,
      quiet: paths.publicKey,
      text: `private key in ${paths.privateKey}, public key in ${paths.publicKey}`,
    });
  }
}

async function writeNew(
  path: string,
  { text, mode }: { readonly text: string; readonly mode: number },
): Promise<void> {
  await using file = await open(path, 'wx', mode);
  await file.writeFile(text);
}
