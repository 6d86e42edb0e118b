/** What a registry is known to do otherwise. */
export interface KnownDifference {
  readonly result: 'failed' | 'unsupported';
  readonly why: string;
}

const failed = (why: string): KnownDifference => ({ result: 'failed', why });
const unsupported = (why: string): KnownDifference => ({ result: 'unsupported', why });

const unordered = 'tags come in the order of a directory, all of them, whatever is asked for';
const appended = 'Content-Range is not looked at, chunks are appended';
const noReferrers = unsupported('has no referrers API');

/** Debian's docker-registry, which is distribution 2.8. */
export const dockerRegistryDifferences: Readonly<Record<string, KnownDifference>> = {
  'tags-list': failed(unordered),
  'tags-none': failed('a repository without tags is 404'),
  'tags-n': failed(unordered),
  'tags-n-zero': failed(unordered),
  'tags-last': failed(unordered),
  'tags-link': unsupported(unordered),
  'blob-get-range-beyond': failed('the 416 announces a body of the length of the blob, which does not come'),
  'blob-post': unsupported('wants the bytes by PUT'),
  'mount-anywhere': unsupported('mounts only with `from`'),
  'chunk-first-offset': failed(appended),
  'chunk-out-of-order': failed(appended),
  'chunk-last-out-of-order': failed(appended),
  'upload-resume': failed(appended),
  'manifest-put-sha512': unsupported('manifests have sha256 digests only'),
  'manifest-tag-parameters': unsupported('tags in the query are not looked at'),
  'manifest-too-large': failed('400 instead of 413'),
  'subject-header': noReferrers,
  'referrers-none': noReferrers,
  'referrers-type': noReferrers,
  'referrers-list': noReferrers,
  'referrers-artifact-type': noReferrers,
  'referrers-annotations': noReferrers,
  'referrers-before-subject': noReferrers,
  'referrers-same-repository': noReferrers,
  'referrers-invalid-digest': noReferrers,
  'referrers-filter': noReferrers,
  'referrers-unfiltered': noReferrers,
  'referrers-deleted': noReferrers,
  'referrers-from-tag-schema': noReferrers,
  'tag-delete': unsupported('deletes by digest only'),
};
