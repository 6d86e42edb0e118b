import { readFile } from 'node:fs/promises';
import { environment } from './env.ts';
import { usageError } from './errors.ts';
import { prompt } from './render/prompt.ts';

/** Where the password of a key comes from. */
export interface KeyPasswordOptions {
  /** `--key-password-file`. */
  readonly file?: string | undefined;
  /** `new`: it is asked for twice. */
  readonly purpose: 'existing' | 'new';
  readonly signal: AbortSignal;
}

/**
 * The password of a key for signatures: from the file, else `$COSIGN_PASSWORD`, which may be empty, else asked for at a
 * terminal. Throws ERR_OCI_USAGE where there is none.
 */
export async function keyPassword({ file, purpose, signal }: KeyPasswordOptions): Promise<string> {
  if (file !== undefined) return (await readFile(file, { encoding: 'utf8', signal })).replace(/\r?\n$/, '');
  const given = environment['COSIGN_PASSWORD'];
  if (given !== undefined) return given;
  if (process.stdin.isTTY !== true) {
    throw usageError(
      'the password of the key is missing, and there is no terminal to ask at',
      'set COSIGN_PASSWORD, or name a file with --key-password-file',
    );
  }
  const password = await prompt('Password of the key: ', { isSecret: true, signal });
  if (purpose === 'existing') return password;
  if ((await prompt('Again: ', { isSecret: true, signal })) === password) return password;
  throw usageError('the passwords are not the same');
}
