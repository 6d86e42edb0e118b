import { usageError } from '../errors.ts';

const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Reads a time span such as `24h`, `90m`, `7d` or `0`, in milliseconds. Throws ERR_OCI_USAGE, naming the flag. */
export function parseDuration(flag: string, text: string): number {
  const match = /^(\d{1,12}(?:\.\d{1,6})?)(ms|s|m|h|d)$/.exec(text);
  if (text === '0') return 0;
  const milliseconds = Number(match?.[1]) * (units[match?.[2] ?? ''] ?? Number.NaN);
  if (Number.isSafeInteger(Math.round(milliseconds))) return Math.round(milliseconds);
  throw usageError(`${flag} ${JSON.stringify(text)} is not a time span`, 'for example 24h, 90m, 7d or 0');
}
