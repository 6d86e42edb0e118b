import type { FoundPackage } from './package.ts';

/** What a `package.json` below `node_modules` says of its package; `undefined` for one that says nothing. */
export function readPackageJson(text: string, location: string): FoundPackage | undefined {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    // Packages bring broken ones along as test data.
    return undefined;
  }
  if (typeof document !== 'object' || document === null) return undefined;
  const { name, version, license } = document as Readonly<Record<string, unknown>>;
  if (typeof name !== 'string' || typeof version !== 'string' || name === '' || version === '')
    return undefined;
  return { type: 'npm', name, version, license: typeof license === 'string' ? license : undefined, location };
}
