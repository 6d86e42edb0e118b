import type { NetworkHelper } from '@ocijs/runtime';
import type { Finding } from './check.ts';

/** The ways that are meant for the user: a bridge is root's, pasta that of others. */
function concerns({ mode }: NetworkHelper, isRoot: boolean): boolean {
  return mode === 'slirp4netns' || (mode === 'bridge') === isRoot;
}

/** How containers can be connected: what has no helper is `missing` when nothing else works, either. */
export function networkFindings(
  helpers: readonly NetworkHelper[],
  { isRoot }: { readonly isRoot: boolean },
): readonly Finding[] {
  const own = helpers.filter((helper) => concerns(helper, isRoot));
  const isConnected = own.some(({ reason }) => reason === undefined);
  return own.map(({ mode, found, reason, hint }) => {
    const name = `network ${mode}`;
    if (reason === undefined) return { name, verdict: 'ok', found: found.join(' ') };
    const verdict = isConnected ? 'limited' : 'missing';
    return { name, verdict, found: reason, ...(hint === undefined ? {} : { remedy: hint }) };
  });
}
