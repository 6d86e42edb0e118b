import { type Descriptor, encodeJson, type Manifest, MediaType, type Store } from '@ocijs/image';
import type { Statement } from './statement.ts';

/** The media type of a statement that is not signed, and the artifact type of what holds one. */
export const statementType = 'application/vnd.in-toto+json';

/** What BuildKit and cosign tell attestations apart by, on the blob and, for lists of referrers, on the manifest. */
const predicateAnnotation = 'in-toto.io/predicate-type';

/**
 * Writes a statement into the store as an artifact whose subject is the image (image-spec `manifest.md`, "subject"): the image
 * and its digest stay as they are. Returns the artifact's descriptor; the same statement gives the same one.
 */
export async function writeAttestation(
  store: Pick<Store, 'put'>,
  { subject, statement }: { readonly subject: Descriptor; readonly statement: Statement },
): Promise<Descriptor> {
  const annotations = { [predicateAnnotation]: statement.predicateType };
  const layer = await store.put(encodeJson(statement), { mediaType: statementType });
  const config = await store.put(Buffer.from('{}'), { mediaType: MediaType.empty });
  const { mediaType, digest, size } = subject;
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: MediaType.manifest,
    artifactType: statementType,
    config,
    layers: [{ ...layer, annotations }],
    subject: { mediaType, digest, size },
    annotations,
  };
  const written = await store.put(encodeJson(manifest), { mediaType: MediaType.manifest });
  return { ...written, artifactType: statementType, annotations };
}
