const nanosecondsPerMillisecond = 1_000_000n;

/** A time in nanoseconds since 1970 as RFC 3339 in UTC, with as many digits of a fraction as it takes. */
export function formatTime(timeNs: bigint): string {
  const fraction = ((timeNs % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n;
  const seconds = Number((timeNs - fraction) / nanosecondsPerMillisecond);
  const text = new Date(seconds).toISOString().slice(0, -'.000Z'.length);
  const digits = String(fraction).padStart(9, '0').replace(/0+$/, '');
  return digits === '' ? `${text}Z` : `${text}.${digits}Z`;
}

/** A time of RFC 3339 in nanoseconds since 1970; undefined when the text is none. */
export function parseTime(text: string): bigint | undefined {
  const match = /^(\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d)(?:\.(\d+))?([Zz]|[+-]\d\d:\d\d)$/.exec(text);
  const milliseconds = Date.parse(`${match?.[1]}${match?.[3]}`);
  if (match === null || Number.isNaN(milliseconds)) return undefined;
  const fraction = (match[2] ?? '').padEnd(9, '0').slice(0, 9);
  return BigInt(milliseconds) * nanosecondsPerMillisecond + BigInt(fraction);
}
