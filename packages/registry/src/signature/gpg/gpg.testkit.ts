import { execFile, spawnSync } from 'node:child_process';
import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { temporaryDirectory } from '../../images.testkit.ts';

const run = promisify(execFile);

/** Why tests with gpg are left out, or false. */
export const missingGpg: string | false = missingCommand('gpg');
/** The same for tests that sign, which needs the agent, and its end. */
export const missingGpgAgent: string | false =
  missingGpg || missingCommand('gpg-agent') || missingCommand('gpgconf');

/** Why tests with a command are left out, or false. */
export function missingCommand(command: string): string | false {
  return spawnSync(command, ['--version']).error === undefined ? false : `${command} is not installed`;
}

/** A signer with keys of their own. */
export interface Signer extends AsyncDisposable {
  /** For `GNUPGHOME`. */
  readonly home: string;
  /** Makes a key without password and returns its fingerprint. */
  makeKey(name: string, options?: readonly string[]): Promise<string>;
  /** Public keys, in binary form unless `--armor` is among the options. */
  publicKeys(names: readonly string[], options?: readonly string[]): Promise<Buffer>;
  /** What gpg makes of an input: a signed message with `['-u', KEY, '--sign']`. */
  gpg(options: readonly string[], input?: Uint8Array): Promise<Buffer>;
}

/** Makes a home directory for gpg; its agent ends with it. */
export async function startSigner(): Promise<Signer> {
  const directory = await temporaryDirectory();
  const home = join(directory.path, 'gnupg');
  await mkdir(home);
  await chmod(home, 0o700);
  const environment = { PATH: process.env['PATH'], LC_ALL: 'C', HOME: directory.path, GNUPGHOME: home };
  const gpg = async (options: readonly string[], input: Uint8Array = Buffer.alloc(0)): Promise<Buffer> => {
    const constant = ['--batch', '--no-tty', '--quiet', '--pinentry-mode', 'loopback', '--passphrase', ''];
    const settings = { env: environment, encoding: 'buffer', maxBuffer: 64 * 1024 * 1024 } as const;
    const running = run('gpg', [...constant, '--trust-model', 'always', ...options], settings);
    // What needs no input may be done before it comes.
    running.child.stdin?.on('error', () => undefined).end(input);
    return (await running).stdout;
  };
  return {
    home,
    gpg,
    async makeKey(name, options = []) {
      await gpg([...options, '--quick-generate-key', name, 'ed25519', 'sign', 'never']);
      const listing = (await gpg(['--with-colons', '--list-keys', `=${name}`])).toString();
      const fingerprint = /^fpr:+([0-9A-F]+):/m.exec(listing)?.[1];
      if (fingerprint === undefined) throw new Error(`no key was made:\n${listing}`);
      return fingerprint;
    },
    publicKeys: (names, options = []) => gpg([...options, '--export', ...names]),
    async [Symbol.asyncDispose]() {
      await run('gpgconf', ['--kill', 'all'], { env: environment });
      await directory[Symbol.asyncDispose]();
    },
  };
}
