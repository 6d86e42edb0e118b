/** Command lines of the pages that no test can run as they are written; each is printed as a skip. */
export interface NotRun {
  /** Default: on every page. */
  readonly page?: string;
  readonly line: RegExp;
  readonly reason: string;
}

export const notRun: readonly NotRun[] = [
  {
    page: 'README.md',
    line: /^npm ci && npm (run demo|test)\b/,
    reason:
      'a whole installation, or this very suite; `npm run newcomer -- --clone` does it in a fresh clone',
  },
  {
    line: /^npm install (--global )?@ocijs\//,
    reason: 'installs what is published; `npm run packaging` installs what this checkout packs',
  },
  {
    line: /^npm run [\w:]+( -- .*)?\s*(#.*)?$/,
    reason: 'a suite of its own, of minutes; that the script exists is tested',
  },
  {
    page: 'docs/guides/runtime.md',
    line: /^(ctr run|buildah run|BUILDAH_ISOLATION=)/,
    reason: 'needs a daemon, or a container made before: test/callers runs it there',
  },
  {
    line: /^oci verify .*--certificate-identity/,
    reason:
      'needs a signature of sigstore and the time when it was made: keyless.test.ts verifies a real one',
  },
  {
    page: 'docs/cli.md',
    line: /^oci unpack --userns /,
    reason:
      'for ordinary users, and these examples are run by root: rootless-unpack.test.ts runs it as one of them',
  },
];

/** Pages whose commands another test runs, and which. */
export const elsewhere: Readonly<Record<string, string>> = {
  'docs/cli.md': 'test/docs/examples.test.ts',
  'docs/guides/containers.md': 'packages/cli/src/network/guides.test.ts',
  'docs/guides/networking.md': 'packages/cli/src/network/guides.test.ts',
};
