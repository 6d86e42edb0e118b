import { parseAnyDigest } from '../digest/digest.ts';
import { LAYOUT_FILE_LIMIT, LAYOUT_INDEX_LIMIT } from '../limits.ts';
import { parseLayoutIndex } from '../store/layout-index.ts';
import { assertLayoutVersion } from '../store/layout-marker.ts';
import { type ImageCollection, imageCollection } from '../transport/collection.ts';
import { invalidArchive } from './failure.ts';
import type { MemberIndex } from './member-index.ts';

/** True when an archive holds an image layout in which there is an image. */
export async function holdsLayout(members: MemberIndex): Promise<boolean> {
  if (members.find('oci-layout') === undefined) return false;
  const raw = await members.readDocument('index.json', LAYOUT_INDEX_LIMIT);
  if (raw === undefined) return false;
  return parseLayoutIndex(raw, `index.json in ${members.file.location}`).entries.length > 0;
}

/** The images of an image layout in an archive (image-spec `image-layout.md`); blobs are read where they are. */
export async function ociArchive(members: MemberIndex): Promise<ImageCollection> {
  const { file } = members;
  const { location } = file;
  const marker = await members.readDocument('oci-layout', LAYOUT_FILE_LIMIT);
  const index = await members.readDocument('index.json', LAYOUT_INDEX_LIMIT);
  if (marker === undefined || index === undefined)
    throw invalidArchive(location, 'holds no image layout', {
      hint:
        members.find('manifest.json') === undefined
          ? 'an archive of a layout has the members oci-layout and index.json'
          : 'it is an archive of `docker save`: docker-archive:FILE',
    });
  assertLayoutVersion(marker, `oci-layout in ${location}`);
  return imageCollection({
    location,
    entries: parseLayoutIndex(index, `index.json in ${location}`).entries.map(({ descriptor }) => descriptor),
    find(digest) {
      const part = members.find(`blobs/${parseAnyDigest(digest).replace(':', '/')}`);
      return part && { size: part.length, open: (options) => file.chunks(part, options) };
    },
    close: () => file[Symbol.asyncDispose](),
  });
}
