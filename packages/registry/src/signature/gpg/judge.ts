import { unacceptable } from '../failure.ts';
import type { GpgRun } from './run-gpg.ts';
import type { StatusLine } from './status.ts';

/** Signs that a message is something else than one sound signature over one text, whatever else gpg says. */
const spoiling: ReadonlySet<string> = new Set([
  'BADSIG',
  'ERRSIG',
  'EXPSIG',
  'EXPKEYSIG',
  'REVKEYSIG',
  'NODATA',
  'UNEXPECTED',
  'ERROR',
  'FAILURE',
  'BEGIN_DECRYPTION',
]);

/** Each must be there once: a message may hold several signatures, and texts that nobody signed. */
const single = ['PLAINTEXT', 'NEWSIG', 'GOODSIG', 'VALIDSIG'] as const;

/**
 * Whose signature a message carries, by what gpg says: the fingerprint of the primary key. gpg ends with 0 for keys that
 * are revoked too, so that its words decide. Throws ERR_OCI_SIGNATURE_INVALID unless it is one good signature over all of
 * the text, by a key that neither expired nor was revoked.
 */
export function judge({ code, status }: Pick<GpgRun, 'code' | 'status'>): string {
  const spoiled = status.find(({ keyword }) => spoiling.has(keyword));
  const isSingle = single.every((keyword) => count(status, keyword) === 1);
  if (code !== 0 || spoiled !== undefined || !isSingle) throw unacceptable(reason(status));
  const fields = status.find(({ keyword }) => keyword === 'VALIDSIG')?.fields ?? [];
  const [own = '', , , , , , , , , primary = own] = fields;
  return primary;
}

function count(status: readonly StatusLine[], keyword: string): number {
  return status.filter((line) => line.keyword === keyword).length;
}

const noPublicKey = '9';

function reason(status: readonly StatusLine[]): string {
  const signatures = count(status, 'NEWSIG');
  if (signatures > 1) return `it holds ${signatures} signatures, where one is expected`;
  if (count(status, 'PLAINTEXT') > 1) return 'it holds several texts, where one is expected';
  for (const { keyword, fields } of status) {
    const [key = ''] = fields;
    switch (keyword) {
      case 'BADSIG':
        return `it is not what the key ${key} signed`;
      case 'EXPSIG':
        return `the signature by the key ${key} has expired`;
      case 'EXPKEYSIG':
        return `the key ${key}, which made it, has expired`;
      case 'REVKEYSIG':
        return `the key ${key}, which made it, was revoked`;
      case 'ERRSIG':
        return fields[5] === noPublicKey
          ? `it is by the key ${key}, which is none of the policy's`
          : `gpg cannot check the signature by the key ${key} (error ${fields[5]})`;
    }
  }
  return 'it is no signed OpenPGP message';
}
