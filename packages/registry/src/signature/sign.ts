import {
  type Descriptor,
  type Digest,
  formatReference,
  isIndexType,
  parseReference,
  type Reference,
} from '@ocijs/image';
import { chooseAll, walkGraph } from '../graph.ts';
import type { RegistryOptions } from '../options.ts';
import { fetchDescribed, resolve } from '../resolve.ts';
import { createSession, type Session } from '../session.ts';
import { parseSigningKey, type SigningKey } from './keys/signing-key.ts';
import { publishReferrer } from './publish-referrer.ts';
import { publishTagged } from './publish-tagged.ts';
import type { SignatureForm } from './types.ts';

/** Options of {@link sign}. */
export interface SignOptions extends RegistryOptions {
  /** A private key in PEM form: ECDSA P-256 or RSA, encrypted as cosign does it or not. */
  readonly key: string | Uint8Array;
  /** Of an encrypted key; may be empty. */
  readonly password?: string | Uint8Array | undefined;
  /** How the signature is kept. Default `tag`, which all tools read. */
  readonly form?: SignatureForm | undefined;
  /** What is to be signed besides. */
  readonly annotations?: Readonly<Record<string, string>> | undefined;
  /** The name that is signed. Default: the image's, with its tag, or else its digest. */
  readonly identity?: string | undefined;
  /** Sign every image of an index too, for those who verify one platform. Default false. */
  readonly recursive?: boolean | undefined;
}

/** One digest that is signed now. */
export interface SignedDigest {
  readonly digest: Digest;
  /** The manifest that holds the signature, by tag or digest. */
  readonly signature: string;
  /** `exists`: the same key has signed the same before. */
  readonly status: 'pushed' | 'exists';
}

/** What was signed. */
export interface SignReport {
  readonly reference: string;
  readonly digest: Digest;
  readonly form: SignatureForm;
  readonly identity: string;
  /** The image's own first; then, with `recursive`, those of its platforms. */
  readonly signatures: readonly SignedDigest[];
}

/** What to put beside an image. */
export interface SignRequest {
  readonly registry: string;
  readonly repository: string;
  readonly subject: Descriptor;
  readonly key: SigningKey;
  readonly identity: string;
  readonly annotations: Readonly<Record<string, string>>;
  readonly signal: AbortSignal | undefined;
}

/**
 * Signs an image that is in a registry, as cosign does with a key: what the reference names now, by digest. The same
 * key signing the same again changes nothing.
 *
 * Throws ERR_OCI_SIGNATURE_KEY_INVALID, other {@link RegistryError}, `signal.reason`.
 */
export async function sign(name: string | Reference, options: SignOptions): Promise<SignReport> {
  const { signal, form = 'tag', annotations = {}, recursive = false } = options;
  signal?.throwIfAborted();
  const reference = typeof name === 'string' ? parseReference(name) : name;
  const key = await parseSigningKey(options.key, { password: options.password });
  const { registry, repository, digest: pinned } = reference;
  const { tag: _tag, ...byDigest } = reference;
  const identity = options.identity ?? formatReference(pinned === undefined ? reference : byDigest);
  parseReference(identity);
  await using session = createSession(registry, { ...options, repository, purpose: 'push' });
  const top = (await resolve(session, { reference, signal })).descriptor;
  const subjects = recursive ? await everything(session, { top, repository, signal }) : [top];
  const signatures: SignedDigest[] = [];
  for (const subject of subjects) {
    const request: SignRequest = { registry, repository, subject, key, identity, annotations, signal };
    const published =
      form === 'tag'
        ? await publishTagged(session, request)
        : await publishReferrer(session, { ...request, form });
    signatures.push({ digest: subject.digest, ...published });
  }
  return { reference: formatReference(reference), digest: top.digest, form, identity, signatures };
}

/** An index and all that is below it. */
async function everything(
  session: Session,
  {
    top,
    repository,
    signal,
  }: {
    readonly top: Descriptor;
    readonly repository: string;
    readonly signal: AbortSignal | undefined;
  },
): Promise<readonly Descriptor[]> {
  if (!isIndexType(top.mediaType)) return [top];
  const { indexes, manifests } = await walkGraph(top, {
    load: (descriptor) => fetchDescribed(session, { repository, descriptor, signal }),
    choose: chooseAll,
  });
  return [...indexes, ...manifests].map(({ descriptor }) => descriptor);
}
