import { unreadable } from '../../config/read-text.ts';

/** What is said of the signatures of some images. */
export interface SignatureSection {
  /** The URL below which GPG signatures are; undefined: the next wider section says it. */
  readonly lookaside: string | undefined;
  /** Whether signatures of sigstore are looked for in the registry; undefined: the next wider section says it. */
  readonly useSigstoreAttachments: boolean | undefined;
  /** The file that says it, for messages. */
  readonly path: string;
}

/** A file of `registries.d`, or all of them. */
export interface RegistriesD {
  readonly defaultDocker: SignatureSection | undefined;
  /** By scope: an image's full name, its repository, a namespace above it, its host, or `*.DOMAIN`. */
  readonly docker: ReadonlyMap<string, SignatureSection>;
}

/** A map of YAML; every scalar is text. */
type YamlMap = ReadonlyMap<unknown, unknown>;

/**
 * Reads a file of `registries.d` (containers-registries.d(5)). Fields that are not known are passed over, as
 * containers/image does: they say nothing of where signatures are. Throws ERR_OCI_REGISTRY_CONFIG_INVALID.
 */
export async function parseRegistriesD(text: string, path: string): Promise<RegistriesD> {
  const invalid = (reason: string): Error => unreadable(path, new Error(reason));
  const mapOf = (value: unknown, where: string): YamlMap => {
    if (value instanceof Map) return value;
    if (isNothing(value)) return new Map();
    throw invalid(`${where} is no map`);
  };
  const textOf = (value: unknown, where: string): string | undefined => {
    if (isNothing(value)) return undefined;
    if (typeof value === 'string') return value;
    throw invalid(`${where} is no text`);
  };
  const section = (value: unknown, where: string): SignatureSection => {
    const fields = mapOf(value, where);
    const field = (name: string): string | undefined => textOf(fields.get(name), `${where}.${name}`);
    // The names before 2022; the new one comes first where both are there. The staging ones are for those who sign.
    const lookaside = field('lookaside') ?? field('sigstore');
    const attachments = field('use-sigstore-attachments');
    if (attachments !== undefined && !booleans.has(attachments))
      throw invalid(`${where}.use-sigstore-attachments is neither true nor false`);
    return { lookaside, useSigstoreAttachments: booleans.get(attachments ?? ''), path };
  };
  const root = mapOf(await readYaml(text, path), 'the file');
  const docker = new Map<string, SignatureSection>();
  for (const [scope, value] of mapOf(root.get('docker'), 'docker'))
    docker.set(String(scope), section(value, `docker.${String(scope)}`));
  const own = root.get('default-docker');
  return { defaultDocker: isNothing(own) ? undefined : section(own, 'default-docker'), docker };
}

const booleans: ReadonlyMap<string, boolean> = new Map([
  ...['true', 'True', 'TRUE', 'y', 'Y', 'yes', 'on'].map((word) => [word, true] as const),
  ...['false', 'False', 'FALSE', 'n', 'N', 'no', 'off'].map((word) => [word, false] as const),
]);

function isNothing(value: unknown): boolean {
  return value === undefined || value === null || value === '' || value === '~' || value === 'null';
}

/** One document without aliases, which could be a bomb, and without names that are there twice. */
async function readYaml(text: string, path: string): Promise<unknown> {
  const { parseDocument } = await import('yaml');
  try {
    const document = parseDocument(text, { schema: 'failsafe', logLevel: 'error', stringKeys: true });
    const [fault] = [...document.errors, ...document.warnings];
    if (fault !== undefined) throw fault;
    return document.toJS({ mapAsMap: true, maxAliasCount: 0 });
  } catch (cause) {
    throw unreadable(path, cause);
  }
}
