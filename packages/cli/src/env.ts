/** The environment as the command line sees it; the one place that reads it. */
export const environment: Readonly<Record<string, string | undefined>> = process.env;

/** True where nobody watches a terminal: CI services set `CI`, editors and scripts use a dumb one. */
export function isUnattended(env: typeof environment = environment): boolean {
  const ci = env['CI'];
  return (ci !== undefined && ci !== '' && ci !== 'false' && ci !== '0') || env['TERM'] === 'dumb';
}
