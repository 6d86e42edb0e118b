import { parseRetryAfter } from './retry.ts';

/** What a registry says of the quota of its users. */
export interface RateLimit {
  /** Requests in a window. */
  readonly limit?: number;
  /** Requests that are left in the present window. */
  readonly remaining?: number;
  /** Length of a window in milliseconds. */
  readonly windowMs?: number;
  /** Milliseconds until the window ends. */
  readonly resetMs?: number;
}

/** The headers of an answer. */
export interface RateLimitHeaders {
  header(name: string): string | undefined;
}

/** Seconds since 1970 look like this; seconds from now on never do. */
const LEAST_DATE_SECONDS = 1_000_000_000;

/**
 * Reads the headers that registries use: `ratelimit-limit: 100;w=21600` and `ratelimit-remaining` (Docker Hub),
 * `ratelimit-reset` (drafts of the IETF up to 6), `ratelimit: limit=…, remaining=…, reset=…` (draft 7),
 * `ratelimit: "policy";r=…;t=…` (from draft 8 on), and all of them with `x-` before. Undefined when there are none.
 */
export function parseRateLimit({ header }: RateLimitHeaders): RateLimit | undefined {
  const get = (name: string): string | undefined => header(name) ?? header(`x-${name}`);
  const joined = get('ratelimit') ?? '';
  const limit = get('ratelimit-limit');
  const number = (separate: string | undefined, ...inJoined: readonly RegExp[]): number | undefined =>
    leading(separate) ?? inJoined.map((pattern) => leading(pattern.exec(joined)?.[1])).find(isKnown);
  const found = {
    limit: number(limit, /\blimit=(\d+)/),
    remaining: number(get('ratelimit-remaining'), /\bremaining=(\d+)/, /;\s*r=(\d+)/),
    windowMs: inMs(leading(/;\s*w=(\d+)/.exec(limit ?? get('ratelimit-policy') ?? '')?.[1])),
    resetMs: untilReset(number(get('ratelimit-reset'), /\breset=(\d+)/, /;\s*t=(\d+)/)),
  };
  const known = Object.entries(found).filter(([, value]) => value !== undefined);
  return known.length === 0 ? undefined : (Object.fromEntries(known) as RateLimit);
}

/** How long a registry asks to wait, in milliseconds: by Retry-After, or because no request is left in the window. */
export function requestedPause(answer: RateLimitHeaders): number | undefined {
  const asked = parseRetryAfter(answer.header('retry-after'));
  if (asked !== undefined) return asked;
  const { remaining, resetMs } = parseRateLimit(answer) ?? {};
  return remaining === 0 ? resetMs : undefined;
}

function leading(text: string | undefined): number | undefined {
  const digits = /^\s*(\d{1,15})(?!\d)/.exec(text ?? '')?.[1];
  return digits === undefined ? undefined : Number(digits);
}

function inMs(seconds: number | undefined): number | undefined {
  return seconds === undefined ? undefined : seconds * 1000;
}

function untilReset(seconds: number | undefined): number | undefined {
  if (seconds === undefined || seconds < LEAST_DATE_SECONDS) return inMs(seconds);
  return Math.max(0, seconds * 1000 - Date.now());
}

function isKnown(value: number | undefined): boolean {
  return value !== undefined;
}
