import {
  type Descriptor,
  type Digest,
  isIndexType,
  isOciError,
  parseIndex,
  parseManifest,
} from '@ocijs/image';
import { locateCredentials } from '../auth/keychain.ts';
import { chooseEndpoint } from '../config/endpoint.ts';
import { registryPolicy } from '../config/policy.ts';
import { type PullSource, sourceSession } from '../config/sources.ts';
import { endpoints, registryOrigin } from '../endpoints.ts';
import type { RegistryEnvironment } from '../env.ts';
import { limits } from '../limits.ts';
import { getManifest, pullScopes } from '../manifests.ts';
import { canonicalRegistry, registryHost } from '../names.ts';
import { hasReferrersApi } from '../referrers.ts';
import type { Session } from '../session.ts';
import { isLoopbackHost } from '../transport/address.ts';
import { redactUrl } from '../transport/redact.ts';
import type { HttpResponse } from '../transport/response.ts';
import { loadTlsMaterial } from '../transport/tls.ts';
import { readClock, readPing, readRateLimit } from './answers.ts';
import { checkAddress, checkCertificate } from './connection.ts';
import type { Finding, LocalFinding } from './finding.ts';

/** Looks at one registry or mirror: first whether it can be reached, then what it offers. */
export async function diagnosePlace(
  source: PullSource,
  environment: RegistryEnvironment,
): Promise<readonly Finding[]> {
  const { registry } = source.reference;
  const findings: LocalFinding[] = [];
  await using session = sourceSession(source);
  findings.push(...(await checkConnection(source, environment)));
  findings.push(await told('credentials', () => checkCredentials(source, environment)));
  const isReached = findings.every(({ name, verdict }) => name !== 'address' || verdict !== 'missing');
  if (isReached) findings.push(...(await checkApi(session, source)));
  return findings.map((finding) => ({ ...finding, place: registry }));
}

async function checkConnection(
  { reference, options, endpoint, insecure }: PullSource,
  environment: RegistryEnvironment,
): Promise<readonly LocalFinding[]> {
  const { registry, repository } = reference;
  const { settings } =
    endpoint ?? (await chooseEndpoint(registry, { ...options, environment, purpose: 'pull' }));
  const host = settings.url?.host ?? registryHost(registry);
  const proxy = isLoopbackHost(host) ? '' : environment.httpsProxy || environment.httpProxy;
  if (proxy !== '') {
    const found = `through ${redactUrl(proxy)}, unless no_proxy says otherwise`;
    return [{ name: 'proxy', verdict: 'ok', found }];
  }
  const address = await checkAddress(host);
  if (address.verdict === 'missing') return [address];
  const certificate = await told('certificate', async () => {
    const policy = await registryPolicy(`${registry}/${repository}`, { ...options, environment });
    const isInsecure = options.tlsVerify !== true && (settings.skipVerify ?? insecure ?? policy.insecure);
    const plainHttp = options.plainHttp ?? false;
    const url =
      settings.url !== undefined && !plainHttp
        ? settings.url
        : await registryOrigin(host, { plainHttp, insecure: isInsecure });
    const tlsVerify = options.tlsVerify ?? !isInsecure;
    const material = await loadTlsMaterial(host, { ...options, tlsVerify, environment, settings });
    return checkCertificate(url, { material });
  });
  return [address, certificate];
}

async function checkCredentials(
  { reference, options, isMirror }: PullSource,
  environment: RegistryEnvironment,
): Promise<LocalFinding> {
  const name = 'credentials';
  const { registry, repository } = reference;
  if (options.credentials !== undefined && !isMirror)
    return { name, verdict: 'ok', found: 'from the options' };
  const known = canonicalRegistry(registry);
  const found = await locateCredentials({ ...options, registry: known, repository, environment });
  return { name, verdict: 'ok', found: found === undefined ? 'none: anonymous' : `from ${found.from}` };
}

async function checkApi(session: Session, source: PullSource): Promise<readonly LocalFinding[]> {
  const findings: LocalFinding[] = [];
  const answer = await reached(session, source);
  findings.push(answer.finding);
  if (answer.response === undefined) return findings;
  findings.push(readClock(answer.response));
  const image = await told('image', () => checkImage(session, source, findings));
  // In the order in which one would ask.
  const extra = findings.splice(2);
  return [...findings, image, ...extra];
}

async function reached(
  session: Session,
  { options }: PullSource,
): Promise<{ readonly finding: LocalFinding; readonly response?: HttpResponse }> {
  try {
    const response = await session.request({
      method: 'GET',
      target: endpoints.base(),
      what: `registry ${session.registry}`,
      accept: [200, 401, 403, 404],
      scopes: [],
      signal: options.signal,
    });
    await response.discard();
    return { finding: readPing(response), response };
  } catch (error) {
    return { finding: failed('registry API', error) };
  }
}

async function checkImage(
  session: Session,
  { reference, options }: PullSource,
  findings: LocalFinding[],
): Promise<LocalFinding> {
  const { signal } = options;
  const { repository, tag, digest } = reference;
  const asked = { repository, reference: tag ?? digest ?? 'latest', signal };
  const fetched = await getManifest(session, asked);
  findings.push(
    await told('ranges', () =>
      checkRanges(session, { ...asked, bytes: fetched.bytes, mediaType: fetched.mediaType }),
    ),
    await told('referrers', () => checkReferrers(session, { repository, digest: fetched.digest, signal })),
    await told('rate limit', () => checkRateLimit(session, { ...asked, digest: fetched.digest })),
  );
  return { name: 'image', verdict: 'ok', found: fetched.digest };
}

interface Asked {
  readonly repository: string;
  readonly signal: AbortSignal | undefined;
}

async function checkRanges(
  session: Session,
  {
    repository,
    signal,
    bytes,
    mediaType,
  }: Asked & { readonly bytes: Uint8Array; readonly mediaType: string },
): Promise<LocalFinding> {
  const name = 'ranges';
  const blob = await someBlob(session, { repository, signal, bytes, mediaType });
  if (blob === undefined) return { name, verdict: 'ok', found: 'the image has nothing to try it with' };
  const response = await session.request({
    method: 'GET',
    target: endpoints.blob(repository, blob.digest),
    headers: { range: 'bytes=0-0' },
    what: `blob ${blob.digest}`,
    accept: [200, 206],
    scopes: pullScopes(repository),
    signal,
  });
  await response.discard();
  if (response.status === 206) return { name, verdict: 'ok', found: 'parts of a layer can be asked for' };
  const remedy = 'layers come in one piece, and a broken download starts anew; ask the operator';
  return { name, verdict: 'limited', found: 'only whole layers are sent', remedy };
}

/** The config of the image, or of the first one of an index. */
async function someBlob(
  session: Session,
  {
    repository,
    signal,
    bytes,
    mediaType,
  }: Asked & { readonly bytes: Uint8Array; readonly mediaType: string },
): Promise<Descriptor | undefined> {
  if (!isIndexType(mediaType)) return parseManifest(bytes, { mediaType }).config;
  const [first] = parseIndex(bytes, { mediaType }).manifests;
  if (first === undefined || isIndexType(first.mediaType)) return undefined;
  const manifest = await getManifest(session, { repository, reference: first.digest, signal });
  return parseManifest(manifest.bytes, { mediaType: manifest.mediaType }).config;
}

async function checkReferrers(
  session: Session,
  target: Asked & { readonly digest: Digest },
): Promise<LocalFinding> {
  const name = 'referrers';
  if (await hasReferrersApi(session, target)) return { name, verdict: 'ok', found: 'has the API' };
  const remedy = 'signatures and attestations are kept under tags instead, which works with this tool';
  return { name, verdict: 'limited', found: 'has no API for them', remedy };
}

async function checkRateLimit(
  session: Session,
  { repository, digest, signal }: Asked & { readonly digest: Digest },
): Promise<LocalFinding> {
  const response = await session.request({
    method: 'HEAD',
    target: endpoints.manifest(repository, digest),
    what: `manifest ${digest}`,
    accept: [200],
    scopes: pullScopes(repository),
    signal,
  });
  await response.discard();
  return readRateLimit(response);
}

/** A failure is a finding, too. */
async function told(name: string, check: () => Promise<LocalFinding>): Promise<LocalFinding> {
  try {
    return await check();
  } catch (error) {
    return failed(name, error);
  }
}

function failed(name: string, error: unknown): LocalFinding {
  if (!isOciError(error)) throw error;
  const { message, hint } = error;
  return {
    name,
    verdict: 'missing',
    found: message.slice(0, limits.messageLength),
    ...(hint === undefined ? {} : { remedy: hint }),
  };
}
