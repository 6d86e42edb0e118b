import { type Descriptor, type Digest, ImageError } from '@ocijs/image';
import { chooseAll, type ImageGraph, walkGraph } from '../graph.ts';
import { limits } from '../limits.ts';
import type { RegistryOptions } from '../options.ts';
import { referrersTag } from '../referrers.ts';
import type { CopySource } from './source.ts';

/** A manifest or index that is attached to another one, with what it refers to itself. */
export interface Attached {
  readonly top: Descriptor;
  readonly graph: ImageGraph;
  /** What it is attached to. */
  readonly subject: Digest;
  /** The tag that attaches it, where its own text does not. */
  readonly tag: string | undefined;
}

/** Signatures of cosign's older form, attestations and SBOMs are attached by tags of these endings. */
const tagEndings = ['sig', 'att', 'sbom'] as const;

/**
 * Finds everything that refers to what is copied: to indexes, to each manifest, and to what refers to those, subjects
 * always before what refers to them. What a registry lists without being about the subject is left out with a `warning`
 * event (`REFERRER_SKIPPED`). Throws ERR_OCI_LIMIT_EXCEEDED beyond 8 levels or 1,000 referrers.
 */
export async function selectReferrers(
  source: CopySource,
  { indexes, manifests }: ImageGraph,
  { signal, onEvent }: RegistryOptions,
): Promise<readonly Attached[]> {
  const found: Attached[] = [];
  const seen = new Set<Digest>([...indexes, ...manifests].map(({ descriptor }) => descriptor.digest));
  let subjects: readonly Digest[] = [...seen];
  for (let level = 0; subjects.length > 0; level++) {
    const next: Digest[] = [];
    for (const subject of subjects) {
      for (const { descriptor, tag } of await attachedTo(source, subject)) {
        signal?.throwIfAborted();
        if (seen.has(descriptor.digest)) continue;
        seen.add(descriptor.digest);
        if (level >= limits.referrerDepth) throw tooMany('levels of referrers', limits.referrerDepth);
        if (found.length >= limits.referrerNodes) throw tooMany('referrers', limits.referrerNodes);
        const graph = await walkGraph(descriptor, {
          load: (each) => source.content.readAll(each, { signal, limit: limits.manifestBytes }),
          choose: chooseAll,
        });
        if (tag === undefined && subjectOf(graph) !== subject) {
          const message = `${descriptor.digest} is listed as a referrer of ${subject}, but does not refer to it`;
          onEvent?.({ type: 'warning', code: 'REFERRER_SKIPPED', message });
          continue;
        }
        found.push({ top: describe(descriptor, graph), graph, subject, tag });
        next.push(descriptor.digest);
      }
    }
    subjects = next;
  }
  return found;

  function tooMany(what: string, limit: number): ImageError {
    return new ImageError('ERR_OCI_LIMIT_EXCEEDED', `${source.name} has more than ${limit} ${what}`, {
      limit,
    });
  }
}

async function attachedTo(
  source: CopySource,
  subject: Digest,
): Promise<readonly { readonly descriptor: Descriptor; readonly tag: string | undefined }[]> {
  const listed = await source.referrers(subject);
  const byTag = await Promise.all(
    tagEndings.map(async (ending) => {
      const tag = `${referrersTag(subject)}.${ending}`;
      const descriptor = await source.sibling(tag);
      return descriptor === undefined ? [] : [{ descriptor, tag }];
    }),
  );
  return [...listed.map((descriptor) => ({ descriptor, tag: undefined })), ...byTag.flat()];
}

/** The subject of what stands on top of a graph. */
function subjectOf({ indexes, manifests }: ImageGraph): Digest | undefined {
  const top = indexes[0]?.index ?? manifests[0]?.manifest;
  return top?.subject?.digest;
}

/** As a list of referrers has it, by what the document itself says. */
function describe({ mediaType, digest, size }: Descriptor, { indexes, manifests }: ImageGraph): Descriptor {
  const { annotations, artifactType = manifests[0]?.manifest.config.mediaType } =
    indexes[0]?.index ?? manifests[0]?.manifest ?? {};
  return {
    mediaType,
    digest,
    size,
    ...(artifactType === undefined ? {} : { artifactType }),
    ...(annotations === undefined ? {} : { annotations }),
  };
}
