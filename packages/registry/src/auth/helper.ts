import type { Credentials } from '../options.ts';
import { printable } from '../transport/redact.ts';
import { forgetAnswers } from './helper-answers.ts';
import { type HelperOptions, type HelperRun, helperFailure, runHelper } from './helper-process.ts';

/** What helpers say, on standard output and with exit code 1, when they have nothing; not a failure. */
const notFound = 'credentials not found in native keychain';
/** The user name by which helpers mark a secret that is an identity token. */
const tokenUser = '<token>';

/** A helper and the server it is about. */
export interface HelperRequest extends HelperOptions {
  /** `HOST[:PORT]`, or Docker Hub's URL. */
  readonly server: string;
}

/**
 * Asks `docker-credential-NAME get` for a server's credentials; undefined when it has none.
 * Throws ERR_OCI_REGISTRY_CREDENTIAL_HELPER when the helper is missing, fails or takes too long.
 */
export async function askHelper(
  name: string,
  { server, ...options }: HelperRequest,
): Promise<Credentials | undefined> {
  const run = await runHelper(name, { ...options, action: 'get', input: `${server}\n` });
  if (run.code === 0) return readAnswer(name, run.output.trim());
  if (run.output.includes(notFound)) return undefined;
  throw ended(name, run, []);
}

/** Gives a server's credentials to `docker-credential-NAME store`. Throws as {@link askHelper}. */
export async function storeInHelper(
  name: string,
  { server, credentials, ...options }: HelperRequest & { readonly credentials: StorableCredentials },
): Promise<void> {
  const [username, secret] =
    'identityToken' in credentials
      ? [tokenUser, credentials.identityToken]
      : [credentials.username, credentials.password];
  const input = JSON.stringify({ ServerURL: server, Username: username, Secret: secret });
  forgetAnswers();
  const run = await runHelper(name, { ...options, action: 'store', input });
  if (run.code !== 0) throw ended(name, run, [secret]);
}

/**
 * Has `docker-credential-NAME erase` forget a server; false when it knew nothing of it. Throws as
 * {@link askHelper}.
 */
export async function eraseFromHelper(name: string, { server, ...options }: HelperRequest): Promise<boolean> {
  const known = await askHelper(name, { ...options, server });
  if (known === undefined) return false;
  forgetAnswers();
  const run = await runHelper(name, { ...options, action: 'erase', input: `${server}\n` });
  if (run.code === 0) return true;
  if (run.output.includes(notFound)) return false;
  throw ended(name, run, []);
}

/** What helpers and files can keep. */
export type StorableCredentials = Exclude<Credentials, { readonly registryToken: string }>;

function readAnswer(name: string, text: string): Credentials | undefined {
  let answer: { readonly Username?: unknown; readonly Secret?: unknown } | null;
  try {
    answer = JSON.parse(text) as typeof answer;
  } catch {
    // The parser's own message would quote the answer.
    throw helperFailure(name, 'did not answer with JSON');
  }
  const { Username: username, Secret: secret } = answer ?? {};
  if (typeof username !== 'string' || typeof secret !== 'string') {
    throw helperFailure(name, 'answered without user and secret');
  }
  if (username === '' && secret === '') return undefined;
  return username === tokenUser ? { identityToken: secret } : { username, password: secret };
}

/** Errors are plain text on standard output; what looks like an answer or holds a secret is never shown. */
function ended(name: string, { code, output }: HelperRun, secrets: readonly string[]): Error {
  const text = output.trim();
  const isTelling = text !== '' && !text.includes('{') && !secrets.some((secret) => text.includes(secret));
  return helperFailure(name, `failed with exit code ${code}${isTelling ? `: ${printable(text)}` : ''}`);
}
