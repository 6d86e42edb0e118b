import { type ImageDraft, type ImageSource, type Store, writeDraft } from '@ocijs/image';

/** The image that a stage is so far; it has no name, and only this build uses it. */
export async function openDraft(
  store: Store,
  draft: ImageDraft,
  options: { readonly signal?: AbortSignal | undefined } = {},
): Promise<ImageSource> {
  const descriptor = await writeDraft(store, draft, options);
  return store.image(descriptor, {
    ...options,
    ...(descriptor.platform === undefined ? {} : { platform: descriptor.platform }),
  });
}
