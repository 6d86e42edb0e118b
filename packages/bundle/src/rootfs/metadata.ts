import type { TarEntry } from '@ocijs/image';
import { mapId } from '../id-map.ts';
import { type EntryContext, metadataTarget } from './entry-context.ts';
import type { LayerContext } from './layer-context.ts';

/** Who owns an entry on the host. */
export function ownerOf(
  { uidMap, gidMap }: Pick<LayerContext, 'uidMap' | 'gidMap'>,
  { uid, gid }: Pick<TarEntry, 'uid' | 'gid'>,
): { readonly uid: number; readonly gid: number } {
  return {
    uid: mapId(uid, { mappings: uidMap, kind: 'user' }),
    gid: mapId(gid, { mappings: gidMap, kind: 'group' }),
  };
}

/** Sets owner and group, mapped to the host; an ordinary user owns everything anyway. */
export function applyOwner(entry: EntryContext): undefined {
  const { layer, header } = entry;
  if (layer.rootless || entry.settled) return;
  layer.operations.setOwner(metadataTarget(entry), ownerOf(layer, header));
}

/**
 * Sets permission, set-id and sticky bits; symbolic links have none. A directory that would keep an ordinary user
 * out gets its mode at the end of the layer.
 */
export function applyMode(entry: EntryContext): undefined {
  const { layer, header, directory } = entry;
  if (header.type === 'symlink' || entry.settled) return;
  const locked = layer.rootless && directory !== undefined && (header.mode & 0o700) !== 0o700;
  if (directory !== undefined) directory.mode = locked ? header.mode : undefined;
  layer.operations.setMode(metadataTarget(entry), locked ? header.mode | 0o700 : header.mode);
}

/** Sets the times; those of a directory at the end of the layer, when its contents change no more. */
export function applyTimes(entry: EntryContext): undefined {
  const { layer, header, directory } = entry;
  const times = { atimeNs: header.atimeNs ?? header.mtimeNs, mtimeNs: header.mtimeNs };
  if (directory === undefined) layer.operations.setTimes(metadataTarget(entry), times);
  else directory.times = times;
}
