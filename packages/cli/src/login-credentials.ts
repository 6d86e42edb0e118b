import { usageError } from './errors.ts';
import { prompt } from './render/prompt.ts';

/** Bytes of a password from standard input; identity tokens of cloud services have a few thousand. */
const passwordLimit = 65_536;

/** What `oci login` was given. */
export interface LoginFlagValues {
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly 'password-stdin': boolean;
  readonly creds?: string | undefined;
}

/** A user and a password. */
export interface UserAndPassword {
  readonly username: string;
  readonly password: string;
}

/**
 * User and password from flags and standard input; what is missing is asked for at a terminal. Throws
 * ERR_OCI_USAGE where there is no terminal.
 */
export async function readCredentials(flags: LoginFlagValues, signal: AbortSignal): Promise<UserAndPassword> {
  if (flags['password-stdin']) {
    if (flags.password !== undefined) throw usageError('--password and --password-stdin exclude each other');
    if (flags.username === undefined) throw usageError('--password-stdin needs --username');
    return { username: flags.username, password: await readPassword() };
  }
  if (flags.username !== undefined && flags.password !== undefined) {
    return { username: flags.username, password: flags.password };
  }
  if (process.stdin.isTTY !== true) {
    throw usageError(
      'user and password are missing, and there is no terminal to ask at',
      'oci login --username USER --password-stdin HOST < FILE',
    );
  }
  const username = flags.username ?? (await prompt('Username: ', { signal }));
  const password = flags.password ?? (await prompt('Password: ', { isSecret: true, signal }));
  return { username, password };
}

/** All of standard input, without the line end that most ways of writing a file add. */
async function readPassword(): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > passwordLimit)
      throw usageError(`password on standard input is longer than ${passwordLimit} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks)
    .toString('utf8')
    .replace(/\r?\n$/, '');
}
