import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { limits } from '../../limits.ts';
import { signatureError, unacceptable } from '../failure.ts';
import { judge } from './judge.ts';
import { type GpgCall, gpgFailure, runGpg } from './run-gpg.ts';

/** A file of public GPG keys, binary or armored. */
export interface GpgKeys {
  /** For messages. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** A text, and the primary key whose signature it carries. */
export interface VerifiedMessage {
  readonly payload: Uint8Array;
  /** In upper-case hexadecimal digits. */
  readonly fingerprint: string;
}

/** Trusted keys. */
export interface Keyring extends AsyncDisposable {
  /**
   * Verifies a signed OpenPGP message in binary form (RFC 9580 section 10.3), not a detached or clear-signed one, and
   * returns its text, which nobody may look at before. Throws ERR_OCI_SIGNATURE_INVALID, ERR_OCI_SIGNATURE_GPG,
   * `signal.reason`.
   */
  verify(message: Uint8Array): Promise<VerifiedMessage>;
}

/** How gpg is found and stopped. */
export type KeyringOptions = Pick<GpgCall, 'searchPath' | 'signal' | 'timeoutMs'>;

/**
 * Imports public keys into a gpg home directory of their own, below the system's directory for temporary files, that only
 * this user can enter and that disappears with the keyring. Throws ERR_OCI_SIGNATURE_KEY_INVALID when there is no key in
 * any of the files, ERR_OCI_SIGNATURE_GPG, `signal.reason`.
 */
export async function openKeyring(files: readonly GpgKeys[], options: KeyringOptions): Promise<Keyring> {
  options.signal?.throwIfAborted();
  // mkdtemp gives the mode 0700.
  const home = await mkdtemp(join(tmpdir(), 'oci-gpg-'));
  const remove = (): Promise<void> => rm(home, { recursive: true, force: true });
  try {
    const trusted = new Set<string>();
    for (const { bytes } of files) {
      for (const fingerprint of await importKeys(bytes, { ...options, home })) trusted.add(fingerprint);
    }
    if (trusted.size === 0) throw noKeys(files);
    return {
      verify: (message) => verifyMessage(message, { ...options, home, trusted }),
      [Symbol.asyncDispose]: remove,
    };
  } catch (error) {
    await remove();
    throw error;
  }
}

type InHome = KeyringOptions & { readonly home: string };

async function importKeys(input: Uint8Array, options: InHome): Promise<readonly string[]> {
  const limit = limits.gpgStatusBytes;
  const run = await runGpg({ ...options, command: ['--quiet', '--import'], input, limit });
  const { status, complaint } = run;
  // It sums up at the end, also when it found nothing.
  if (!status.some(({ keyword }) => keyword === 'IMPORT_RES'))
    throw gpgFailure(`could not import keys: ${complaint}`);
  return status.flatMap(({ keyword, fields: [, fingerprint] }) =>
    keyword === 'IMPORT_OK' && fingerprint !== undefined ? [fingerprint] : [],
  );
}

async function verifyMessage(
  message: Uint8Array,
  { trusted, ...options }: InHome & { readonly trusted: ReadonlySet<string> },
): Promise<VerifiedMessage> {
  if (!isBinaryOpenPgp(message)) throw unacceptable('it is no OpenPGP message in binary form');
  const limit = limits.signaturePayloadBytes;
  const command = ['--no-armor', `--max-output=${limit}`, '--output=-', '--verify'];
  const run = await runGpg({ ...options, command, input: message, limit });
  const fingerprint = judge(run);
  if (!trusted.has(fingerprint))
    throw unacceptable(`it is by the key ${fingerprint}, which is none of the policy's`);
  return { payload: run.output, fingerprint };
}

/** Every OpenPGP packet starts with this bit set (RFC 9580 section 4.2); armor and clear-signed text do not. */
export function isBinaryOpenPgp(bytes: Uint8Array): boolean {
  return ((bytes[0] ?? 0) & 0x80) !== 0;
}

function noKeys(files: readonly GpgKeys[]): Error {
  const names = files.map(({ name }) => name).join(', ');
  return signatureError('ERR_OCI_SIGNATURE_KEY_INVALID', `${names} holds no public GPG key`, {
    hint: 'gpg --export --armor KEY writes such a file',
  });
}
