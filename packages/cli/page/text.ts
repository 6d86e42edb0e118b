import { formatBytes } from '../src/render/bytes.ts';

/** `45.6 MB`, with a space that does not break. */
export function sizeText(bytes: number): string {
  return formatBytes(bytes).replace(/[kMGTP]?B$/, '\u00a0$&');
}

/** `+45.6 MB`, `−12 B`. */
export function growthText(bytes: number): string {
  if (bytes === 0) return sizeText(0);
  return `${bytes > 0 ? '+' : '\u2212'}${sizeText(Math.abs(bytes))}`;
}

/** `5.3 %`. */
export function shareText(part: number, whole: number): string {
  if (whole === 0) return '0\u00a0%';
  const percent = (part / whole) * 100;
  return percent > 0 && percent < 0.1
    ? '<\u00a00.1\u00a0%'
    : `${percent.toFixed(percent < 10 ? 1 : 0)}\u00a0%`;
}

const numbers = new Intl.NumberFormat('en');

/** `12,345`. */
export function countText(count: number): string {
  return numbers.format(count);
}

/** `1 file`, `12,345 files`. */
export function pluralText(count: number, noun: string): string {
  return `${countText(count)}\u00a0${noun}${count === 1 ? '' : 's'}`;
}

/** `2026-11-22 10:08`; what is no date stays as it is. */
export function dateText(text: string): string {
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d/.test(text) ? text.slice(0, 16).replace('T', ' ') : text;
}

/** The same for seconds since 1970; beyond the years that a date has, the number. */
export function timeText(seconds: number): string {
  const date = new Date(seconds * 1000);
  return Number.isNaN(date.getTime()) ? String(seconds) : dateText(date.toISOString());
}

/** `sha256:0123456789ab`. */
export function shortDigest(digest: string): string {
  const [algorithm = '', hex = ''] = digest.split(':');
  return `${algorithm}:${hex.slice(0, 12)}`;
}
