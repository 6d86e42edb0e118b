import { printable } from '../transport/redact.ts';
import type { HttpResponse } from '../transport/response.ts';
import type { LocalFinding } from './finding.ts';

/** What the registry's base says: that it is one. */
export function readPing(response: HttpResponse): LocalFinding {
  const version = response.header('docker-distribution-api-version');
  const needs = response.status === 401 || response.status === 403 ? ', for known users' : '';
  const name = 'registry API';
  if (response.status === 404 || response.status >= 500)
    return {
      name,
      verdict: 'missing',
      found: `status ${response.status} at ${response.url.pathname}`,
      remedy: 'no registry answers there: check name, port and path',
    };
  if (version === undefined || version.startsWith('registry/2'))
    return { name, verdict: 'ok', found: `${printable(version ?? 'version 2')}${needs}` };
  return { name, verdict: 'limited', found: printable(version), remedy: 'version 2 is expected' };
}

const allowedSkewMs = 60_000;

/** How far the clocks are apart. */
export function readClock(response: HttpResponse, now: number = Date.now()): LocalFinding {
  const name = 'clock';
  const theirs = Date.parse(response.header('date') ?? '');
  if (Number.isNaN(theirs))
    return { name, verdict: 'ok', found: 'the registry does not say what time it is' };
  const skew = now - theirs;
  const seconds = Math.round(Math.abs(skew) / 1000);
  if (Math.abs(skew) <= allowedSkewMs) return { name, verdict: 'ok', found: `${seconds} s apart` };
  const found = `this machine is ${seconds} s ${skew > 0 ? 'ahead' : 'behind'}`;
  return {
    name,
    verdict: 'limited',
    found,
    remedy: 'set the clock: tokens and certificates may seem not valid',
  };
}

/** How much more may be pulled, as the registry says. */
export function readRateLimit(response: HttpResponse): LocalFinding {
  const name = 'rate limit';
  const [limit, remaining] = ['ratelimit-limit', 'ratelimit-remaining'].map((header) =>
    /^(\d{1,12})(?:;w=(\d{1,12}))?/.exec(response.header(header) ?? ''),
  );
  if (!remaining) return { name, verdict: 'ok', found: 'none is announced' };
  const window = limit?.[2] ?? remaining[2];
  const left = Number(remaining[1]);
  const of = limit ? ` of ${limit[1]}` : '';
  const found = `${left}${of} left${window === undefined ? '' : ` in ${window} s`}`;
  if (left > 0) return { name, verdict: 'ok', found };
  return { name, verdict: 'missing', found, remedy: 'wait, log in, or use a mirror' };
}
