import { pathToFileURL } from 'node:url';
import { type Digest, digestAlgorithm, digestHex, type Reference } from '@ocijs/image';
import { unreadable } from '../../config/read-text.ts';
import { registryEnvironment } from '../../env.ts';
import type { RegistryOptions } from '../../options.ts';
import { scopesOf } from '../policy/scopes.ts';
import type { RegistriesD, SignatureSection } from './parse-registries-d.ts';

/** Where the GPG signatures of a repository's images are. */
export interface Lookaside {
  /** `https`, `http` or `file`. */
  readonly url: URL;
  /** The file that names it; undefined: none does, it is where podman and skopeo look by default. */
  readonly namedBy: string | undefined;
}

/**
 * Where an image's GPG signatures are: in the place of the longest scope that fits and names one, else that of
 * `default-docker`, else in the default directory. Throws ERR_OCI_REGISTRY_CONFIG_INVALID for a place that is none.
 */
export function findLookaside(
  configuration: RegistriesD,
  { reference, env }: Pick<RegistryOptions, 'env'> & { readonly reference: Reference },
): Lookaside {
  const section = findSection(configuration, { reference, says: ({ lookaside }) => lookaside !== undefined });
  const base =
    section?.lookaside === undefined
      ? pathToFileURL(registryEnvironment(env).lookasideDirectory)
      : readBase(section.lookaside, section);
  base.pathname = `${base.pathname.replace(/\/$/, '')}/${reference.repository}`;
  return { url: base, namedBy: section?.path };
}

/** False when the configuration says that a registry's own signatures, sigstore's, are not to be looked for. */
export function usesAttachments(configuration: RegistriesD, reference: Reference): boolean {
  const says = ({ useSigstoreAttachments }: SignatureSection): boolean =>
    useSigstoreAttachments !== undefined;
  return findSection(configuration, { reference, says })?.useSigstoreAttachments ?? true;
}

/** The URL of an image's signature, counted from 1. */
export function signatureUrl(
  { url }: Lookaside,
  { digest, position }: { readonly digest: Digest; readonly position: number },
): URL {
  const own = new URL(url);
  own.pathname = `${url.pathname}@${digestAlgorithm(digest)}=${digestHex(digest)}/signature-${position}`;
  return own;
}

function findSection(
  { docker, defaultDocker }: RegistriesD,
  {
    reference,
    says,
  }: { readonly reference: Reference; readonly says: (section: SignatureSection) => boolean },
): SignatureSection | undefined {
  for (const scope of scopesOf(reference)) {
    const section = docker.get(scope);
    if (section !== undefined && says(section)) return section;
  }
  return defaultDocker !== undefined && says(defaultDocker) ? defaultDocker : undefined;
}

function readBase(text: string, { path }: SignatureSection): URL {
  const refuse = (reason: string): Error => unreadable(path, new Error(`the lookaside ${reason}`));
  const url = URL.parse(text);
  if (url === null) throw refuse('is not a URL');
  if (url.protocol === 'file:' && url.host !== '') throw refuse('is a file of another host');
  if (!['https:', 'http:', 'file:'].includes(url.protocol)) throw refuse('is not https, http or file');
  if (url.username !== '' || url.password !== '') throw refuse('contains a user or password');
  url.hash = '';
  return url;
}
