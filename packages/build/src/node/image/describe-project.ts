import type { PackageManifest } from '../project/package-manifest.ts';

/** What `package.json` says of an image (image-spec `annotations.md`); what has another form than it should is left out. */
export function describeProject(manifest: PackageManifest): Readonly<Record<string, string>> {
  const { name, version, license, repository, description } = manifest;
  const fields: Readonly<Record<string, string | undefined>> = {
    title: plain(name, 214),
    version: version !== undefined && /^\d[\w.+-]{0,255}$/.test(version) ? version : undefined,
    description: plain(description, 1024),
    licenses:
      license !== undefined && /^(?!UNLICENSED$|SEE )[\w.+\-() ]{1,256}$/.test(license) ? license : undefined,
    source: sourceAddress(repository),
  };
  return Object.fromEntries(
    Object.entries(fields).flatMap(([key, value]) =>
      value === undefined ? [] : [[`org.opencontainers.image.${key}`, value] as const],
    ),
  );
}

function plain(text: string | undefined, limit: number): string | undefined {
  return text !== undefined && text.length <= limit && !/\p{Cc}/u.test(text) ? text : undefined;
}

const hosts: Readonly<Record<string, string>> = {
  '': 'github.com',
  'github:': 'github.com',
  'gitlab:': 'gitlab.com',
  'bitbucket:': 'bitbucket.org',
};

/** The address of a repository for a browser, without user and password; short forms are npm's. */
function sourceAddress(text: string | undefined): string | undefined {
  const [, host = '', path] = /^(github:|gitlab:|bitbucket:)?([\w.-]+\/[\w.-]+)$/.exec(text ?? '') ?? [];
  if (path !== undefined) return `https://${hosts[host] ?? ''}/${path}`;
  const address = (text ?? '')
    .replace(/^git\+/, '')
    .replace(/^(?:ssh:\/\/)?git@([^:/]+)[:/]/, 'https://$1/')
    .replace(/^git:/, 'https:');
  if (!/^https?:/.test(address) || !URL.canParse(address)) return undefined;
  const url = new URL(address);
  url.username = '';
  url.password = '';
  url.search = '';
  url.hash = '';
  return url.href.replace(/\.git$/, '');
}
