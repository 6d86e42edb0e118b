import {
  type Descriptor,
  type Digest,
  digestBytes,
  encodeJson,
  type Index,
  type Manifest,
  MediaType,
  type OnEvent,
} from '@ocijs/image';
import { referrersTag } from '../referrers.ts';
import type { ReferrerReport } from './report.ts';
import type { Attached } from './select-referrers.ts';
import type { CopyTarget } from './target.ts';

/** How referrers are written. */
export interface WriteReferrersOptions {
  /** What the digests of the source became; grows. */
  readonly replacements: Map<Digest, Descriptor>;
  readonly onEvent: OnEvent | undefined;
}

/**
 * Writes what is attached to a copied image, attached to what the image became. A subject with another digest is a
 * `warning` event (`SUBJECT_CHANGED`): signatures are of what it was.
 */
export async function writeReferrers(
  attached: readonly Attached[],
  target: CopyTarget,
  options: WriteReferrersOptions,
): Promise<readonly ReferrerReport[]> {
  const { replacements, onEvent } = options;
  const reports: ReferrerReport[] = [];
  const bySubject = new Map<Digest, Descriptor[]>();
  for (const { top, graph, subject, tag } of attached) {
    const renewed = replacements.get(subject);
    if (renewed !== undefined) {
      const message = `${top.digest} was about ${subject}, which is ${renewed.digest} now`;
      onEvent?.({ type: 'warning', code: 'SUBJECT_CHANGED', message });
    }
    for (const { descriptor, bytes, manifest } of graph.manifests)
      await write(descriptor, { bytes, document: manifest });
    for (const { descriptor, bytes, index } of [...graph.indexes].reverse())
      await write(descriptor, { bytes, document: index });
    const { digest, size, mediaType } = replacements.get(top.digest) ?? top;
    const about = renewed?.digest ?? subject;
    if (tag === undefined) {
      const listed = { ...top, digest, size, mediaType };
      bySubject.set(about, [...(bySubject.get(about) ?? []), listed]);
    } else {
      const ending = tag.slice(referrersTag(subject).length);
      await target.add({ digest, size, mediaType }, target.siblingName(referrersTag(about) + ending));
    }
    const type = top.artifactType;
    reports.push({
      digest,
      subject: about,
      mediaType,
      ...(type === undefined ? {} : { artifactType: type }),
    });
  }
  if (target.referrers === 'index')
    for (const [subject, entries] of bySubject) await writeIndex(target, { subject, entries });
  return reports;

  async function write(
    descriptor: Descriptor,
    { bytes, document }: { readonly bytes: Uint8Array; readonly document: Manifest | Index },
  ): Promise<void> {
    const subject = document.subject && replacements.get(document.subject.digest);
    if (subject === undefined) return target.writeManifest(descriptor, bytes);
    const { platform: _platform, annotations: _annotations, ...renewed } = subject;
    const changed = encodeJson({ ...document, subject: renewed });
    const { mediaType } = descriptor;
    const written = { mediaType, digest: digestBytes(changed), size: changed.length };
    replacements.set(descriptor.digest, written);
    await target.writeManifest(written, changed);
  }
}

/** Where nothing lists referrers, an index under a tag does (distribution-spec "Referrers Tag Schema"). */
async function writeIndex(
  target: CopyTarget,
  { subject, entries }: { readonly subject: Digest; readonly entries: readonly Descriptor[] },
): Promise<void> {
  const tag = referrersTag(subject);
  const before = (await target.entriesOf?.(tag)) ?? [];
  const manifests = [...new Map([...before, ...entries].map((entry) => [entry.digest, entry])).values()];
  const index: Index = { schemaVersion: 2, mediaType: MediaType.index, manifests };
  const bytes = encodeJson(index);
  const descriptor = { mediaType: MediaType.index, digest: digestBytes(bytes), size: bytes.length };
  await target.writeManifest(descriptor, bytes);
  await target.add(descriptor, tag);
}
