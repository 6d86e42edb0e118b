import { type Descriptor, type Digest, type Manifest, parseManifest } from '@ocijs/image';
import { RegistryError } from '../errors.ts';
import { limits } from '../limits.ts';
import { type FetchedManifest, getManifest } from '../manifests.ts';
import { fetchReferrers } from '../referrers.ts';
import { fetchDescribed } from '../resolve.ts';
import type { Session } from '../session.ts';
import { unacceptable } from './failure.ts';
import { bundleType, isBundleType, parseBundle } from './forms/bundle.ts';
import { layerAnnotations, signatureArtifactType, simpleSigningType } from './forms/simple-signing.ts';
import { asBytes } from './json.ts';
import { signatureTag } from './signature-tag.ts';
import { readSmallBlob } from './small-blob.ts';
import type { AttachedSignature, SignatureForm } from './types.ts';

/** Whose signatures are looked for. */
export interface SignedImage {
  readonly repository: string;
  readonly digest: Digest;
  readonly signal?: AbortSignal | undefined;
}

/** Where a signature seems to be. What fails while it is read is that signature's fault alone. */
export interface SignaturePlace {
  readonly form: SignatureForm;
  readonly digest: Digest;
  read(): Promise<readonly AttachedSignature[]>;
}

/** Every place where a registry has signatures of an image: the tag first, then what refers to it. */
export async function* signaturePlaces(session: Session, image: SignedImage): AsyncGenerator<SignaturePlace> {
  yield* taggedPlaces(session, image);
  const { referrers } = await fetchReferrers(session, image);
  for (const descriptor of referrers) {
    const { artifactType, digest } = descriptor;
    if (isBundleType(artifactType) || artifactType === signatureArtifactType) {
      const form = artifactType === signatureArtifactType ? 'referrer' : 'bundle';
      yield { form, digest, read: () => readReferrer(session, { ...image, descriptor }) };
    }
  }
}

async function* taggedPlaces(session: Session, image: SignedImage): AsyncGenerator<SignaturePlace> {
  const fetched = await readSignatureTag(session, image);
  if (fetched === undefined) return;
  const { layers } = parseManifest(fetched.bytes, { mediaType: fetched.mediaType });
  for (const layer of layers.filter(({ mediaType }) => mediaType === simpleSigningType)) {
    yield {
      form: 'tag',
      digest: layer.digest,
      read: async () => [await readLayer(session, { ...image, layer, form: 'tag' })],
    };
  }
}

/** The manifest under the tag of an image's signatures; undefined when there is none. */
export async function readSignatureTag(
  session: Session,
  { repository, digest, signal }: SignedImage,
): Promise<FetchedManifest | undefined> {
  const reference = signatureTag(digest);
  if (reference === undefined) return undefined;
  try {
    return await getManifest(session, { repository, reference, signal });
  } catch (error) {
    if (error instanceof RegistryError && error.code === 'ERR_OCI_REGISTRY_NOT_FOUND') return undefined;
    throw error;
  }
}

async function readReferrer(
  session: Session,
  image: SignedImage & { readonly descriptor: Descriptor },
): Promise<readonly AttachedSignature[]> {
  const bytes = await fetchDescribed(session, image);
  const manifest: Manifest = parseManifest(bytes, { mediaType: image.descriptor.mediaType });
  if (manifest.subject?.digest !== image.digest) throw unacceptable('the artifact refers to another image');
  const layers = manifest.layers.filter(
    ({ mediaType }) => mediaType === simpleSigningType || isBundleType(mediaType),
  );
  if (layers.length > limits.signatureLayers)
    throw unacceptable(`the artifact has more than ${limits.signatureLayers} signatures`);
  const signatures: AttachedSignature[] = [];
  for (const layer of layers) {
    const isSimple = layer.mediaType === simpleSigningType;
    signatures.push(
      isSimple
        ? await readLayer(session, { ...image, layer, form: 'referrer' })
        : await readBundle(session, { ...image, layer }),
    );
  }
  return signatures;
}

interface InLayer extends SignedImage {
  readonly layer: Descriptor;
}

async function readLayer(
  session: Session,
  { repository, signal, layer, form }: InLayer & { readonly form: 'tag' | 'referrer' },
): Promise<AttachedSignature> {
  const annotations = layer.annotations ?? {};
  const signature = asBytes(annotations[layerAnnotations.signature], 'annotation with the signature');
  const certificate = annotations[layerAnnotations.certificate];
  const limit = limits.signaturePayloadBytes;
  const payload = await readSmallBlob(session, { repository, descriptor: layer, limit, signal });
  return {
    form,
    digest: layer.digest,
    payload,
    signature,
    keyless:
      certificate === undefined || certificate === ''
        ? undefined
        : {
            certificate,
            chain: annotations[layerAnnotations.chain],
            rekorBundle: annotations[layerAnnotations.rekorBundle],
            timestamp: annotations[layerAnnotations.timestamp],
          },
  };
}

async function readBundle(
  session: Session,
  { repository, signal, layer }: InLayer,
): Promise<AttachedSignature> {
  const limit = limits.signatureBundleBytes;
  const bytes = await readSmallBlob(session, { repository, descriptor: layer, limit, signal });
  return { form: 'bundle', digest: layer.digest, bundle: parseBundle(bytes) };
}

/** The artifact type of each form that refers to its image. */
export const artifactTypes: Readonly<Record<Exclude<SignatureForm, 'tag'>, string>> = {
  referrer: signatureArtifactType,
  bundle: bundleType,
};
