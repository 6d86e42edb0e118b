import { isAbsolute, join } from 'node:path';
import { RegistryError } from '../errors.ts';
import { isLoopbackHost } from '../transport/address.ts';
import { parseToml, type TomlTable, type TomlValue } from './toml.ts';

/** What a host may be asked for: content by digest, what a tag names, to take content. */
export type HostCapability = 'pull' | 'resolve' | 'push';

/** How one host is spoken to. */
export interface HostSettings {
  /** The origin, and the path that takes the place of `/v2`; undefined: the registry's own. */
  readonly url: URL | undefined;
  readonly capabilities: ReadonlySet<HostCapability>;
  /** Files with certificates to trust in addition. */
  readonly authorities: readonly string[];
  /** Files with a client certificate and its key, which may be the same one. */
  readonly clients: readonly { readonly cert: string; readonly key: string }[];
  /** A directory of certificates in Docker's form. */
  readonly certificateDirectory?: string | undefined;
  readonly skipVerify: boolean | undefined;
  /** By lower-case name; for this host only. */
  readonly headers: Readonly<Record<string, readonly string[]>>;
  /** How long a connection may take, in milliseconds. */
  readonly dialTimeoutMs: number | undefined;
}

/** A `hosts.toml`: hosts that are asked before the server, in order, and the server. */
export interface HostsFile {
  readonly hosts: readonly (HostSettings & { readonly url: URL })[];
  readonly server: HostSettings;
}

const allCapabilities: ReadonlySet<HostCapability> = new Set(['pull', 'resolve', 'push']);

/** What holds for a host of which nothing is said. */
export const plainSettings: HostSettings = {
  url: undefined,
  capabilities: allCapabilities,
  authorities: [],
  clients: [],
  skipVerify: undefined,
  headers: {},
  dialTimeoutMs: undefined,
};

interface Place {
  readonly path: string;
  /** Where relative file names start. */
  readonly directory: string;
  readonly key: string;
}

/** Reads a containerd `hosts.toml`. Throws ERR_OCI_REGISTRY_CONFIG_INVALID. */
export function parseHostsToml(
  text: string,
  { path, directory }: { readonly path: string; readonly directory: string },
): HostsFile {
  const root = parseToml(text, path);
  const place = (key: string): Place => ({ path, directory, key });
  const tables = root.get('host') ?? new Map<string, TomlValue>();
  if (!(tables instanceof Map)) throw invalid(place('host'), 'has no table');
  const hosts = [...tables].map(([name, table]) => {
    const at = place(`host."${name}"`);
    if (!(table instanceof Map)) throw invalid(at, 'has no table');
    return { ...readSettings(table, at), url: readUrl(name, { table, place: at }) };
  });
  const server = root.get('server') ?? '';
  if (typeof server !== 'string') throw invalid(place('server'), 'has no text');
  const own = readSettings(root, place('the top level'));
  return {
    hosts,
    server: server === '' ? own : { ...own, url: readUrl(server, { table: root, place: place('server') }) },
  };
}

function readSettings(table: TomlTable, place: Place): HostSettings {
  const skipVerify = table.get('skip_verify');
  if (skipVerify !== undefined && typeof skipVerify !== 'boolean')
    throw invalid(place, 'has a skip_verify that is neither true nor false');
  return {
    url: undefined,
    capabilities: readCapabilities(table.get('capabilities'), place),
    authorities: readTexts(table.get('ca'), { ...place, what: 'ca' }).map((file) => absolute(file, place)),
    clients: readClients(table.get('client'), place),
    skipVerify,
    headers: readHeaders(table.get('header'), place),
    dialTimeoutMs: readDuration(table.get('dial_timeout'), place),
  };
}

/** A host without a scheme speaks https, one on this machine http; the path ends in `/v2` unless it is said to be the whole. */
function readUrl(text: string, { table, place }: { readonly table: TomlTable; readonly place: Place }): URL {
  const hasScheme = /^https?:\/\//i.test(text);
  const url = URL.parse(
    hasScheme ? text : `${isLoopbackHost(text.split('/')[0] ?? '') ? 'http' : 'https'}://${text}`,
  );
  if (url === null || (!hasScheme && text.includes('://')))
    throw invalid(place, 'is not a URL of http or https');
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '')
    throw invalid(place, 'has a URL with more than host and path');
  const override = table.get('override_path') ?? false;
  if (typeof override !== 'boolean')
    throw invalid(place, 'has an override_path that is neither true nor false');
  const path = url.pathname.replace(/\/+$/, '');
  url.pathname = override || path.endsWith('/v2') ? path : `${path}/v2`;
  return url;
}

function readCapabilities(value: TomlValue | undefined, place: Place): ReadonlySet<HostCapability> {
  const names = readTexts(value, { ...place, what: 'capabilities' });
  if (names.length === 0) return allCapabilities;
  return new Set(
    names.map((name) => {
      const lower = name.toLowerCase();
      if (lower === 'pull' || lower === 'resolve' || lower === 'push') return lower;
      throw invalid(
        place,
        `has the capability ${JSON.stringify(name)}, which is none of pull, resolve, push`,
      );
    }),
  );
}

function readClients(value: TomlValue | undefined, place: Place): HostSettings['clients'] {
  const pairs = value === undefined ? [] : Array.isArray(value) ? value : [value];
  return pairs.map((pair: TomlValue) => {
    const [cert = '', key = cert, ...more] = readTexts(pair, { ...place, what: 'client' });
    if (cert === '' || more.length > 0) throw invalid(place, 'has a client that is no file or pair of files');
    return { cert: absolute(cert, place), key: absolute(key, place) };
  });
}

/** What the client itself decides, request by request. */
const reservedHeaders: ReadonlySet<string> = new Set([
  'host',
  'connection',
  'content-length',
  'content-type',
  'content-range',
  'transfer-encoding',
  'range',
  'accept',
  'accept-encoding',
]);

function readHeaders(value: TomlValue | undefined, place: Place): HostSettings['headers'] {
  if (value === undefined) return {};
  if (!(value instanceof Map)) throw invalid(place, 'has a header that is no table');
  const entries = [...value].map(([name, item]): [string, readonly string[]] => {
    const texts = readTexts(item, { ...place, what: `header.${name}` });
    const lower = name.toLowerCase();
    if (!/^[a-z0-9!#$%&'*+.^_`|~-]+$/.test(lower) || reservedHeaders.has(lower))
      throw invalid(place, `has the header ${JSON.stringify(name)}, which cannot be set`);
    // The value may be a secret, so that it is not shown.
    if (texts.some((text) => /[^\t\u0020-\u007e]/.test(text)))
      throw invalid(place, `has a value of the header ${name} that cannot be sent`);
    return [lower, texts];
  });
  return Object.fromEntries(entries);
}

const unitsMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** A duration as Go writes it: `500ms`, `1m30s`. */
function readDuration(value: TomlValue | undefined, place: Place): number | undefined {
  if (value === undefined || value === '') return undefined;
  if (typeof value === 'string' && /^(?:\d+(?:\.\d+)?(?:ms|s|m|h))+$/.test(value)) {
    const parts = value.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g);
    const total = [...parts].reduce(
      (sum, [, count, unit]) => sum + Number(count) * (unitsMs[unit ?? ''] ?? 0),
      0,
    );
    return total === 0 ? undefined : Math.min(total, 2 ** 31 - 1);
  }
  throw invalid(place, 'has a dial_timeout that is no duration such as 3s');
}

function readTexts(
  value: TomlValue | undefined,
  { what, ...place }: Place & { readonly what: string },
): readonly string[] {
  const items = value === undefined ? [] : Array.isArray(value) ? value : [value];
  return items.map((item: TomlValue) => {
    if (typeof item === 'string') return item;
    throw invalid(place, `has something else than text in ${what}`);
  });
}

function absolute(file: string, { directory }: Place): string {
  return isAbsolute(file) ? file : join(directory, file);
}

function invalid({ path, key }: Place, reason: string): RegistryError {
  return new RegistryError('ERR_OCI_REGISTRY_CONFIG_INVALID', `configuration ${path}: ${key} ${reason}`, {
    path,
    hint: 'correct the file; its form is described in containerd/docs/hosts.md',
  });
}
