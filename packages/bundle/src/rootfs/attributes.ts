import { ownerNoteName } from '../spec/owner-note.ts';
import { defaultAcl, setGroup } from './directory-tree.ts';
import { type EntryContext, metadataTarget } from './entry-context.ts';
import { hasErrno } from './failure.ts';
import { capabilityFor, fileCapability } from './file-capability.ts';
import type { LayerContext } from './layer-context.ts';
import { ownerOf } from './metadata.ts';
import { noteOf } from './recorded-owner.ts';

/** Belong to the host, which labels files by its own policy. */
const hostAttributes: ReadonlySet<string> = new Set(['security.selinux', 'system.nfs4_acl']);

/** What an entry without such attributes takes away from what was there; other namespaces are the host's. */
const removable = /^(user\.|trusted\.|security\.capability$|system\.posix_acl_)/;

/** Only the kernel's owner of a file system may set these. */
const privileged = /^(security|trusted)\./;

/** Sets the entry's extended attributes, and removes those that it does not have. */
export function applyAttributes(entry: EntryContext): undefined {
  const { layer, header } = entry;
  if (!layer.attributes) return;
  if (!entry.fresh && (header.type === 'directory' || header.type === 'file')) removeOthers(entry);
  notePlain(entry);
  for (const [name, value] of header.xattrs) {
    if (hostAttributes.has(name)) {
      layer.warn({
        code: 'attribute-of-host',
        message: `extended attribute ${name} belongs to the host and was left out`,
      });
      continue;
    }
    if (layer.operations.isReservedAttribute?.(name)) {
      layer.warn({
        code: 'attribute-reserved',
        message: 'extended attributes of overlayfs mean something to it and were left out',
      });
      continue;
    }
    // An ordinary user notes owners there.
    if (layer.rootless && name === ownerNoteName) continue;
    setAttribute(entry, name, valueFor(layer, name, value));
    if (!layer.attributes) return;
  }
  if (layer.rootless) recordOwner(entry);
}

function valueFor(layer: LayerContext, name: string, value: Uint8Array): Uint8Array {
  if (name !== fileCapability || layer.rootless || layer.uidMap.length === 0) return value;
  return capabilityFor(value, { rootId: layer.rootOwner.uid });
}

/** Links and nodes cannot have attributes of users. */
function recordOwner(entry: EntryContext): void {
  const { header } = entry;
  const value = noteOf(header);
  if (value === undefined || (header.type !== 'file' && header.type !== 'directory')) return;
  setAttribute(entry, ownerNoteName, value);
}

/** Sets an attribute; of a file that its owner may not write to, with a mode in which they may meanwhile. */
function setAttribute(entry: EntryContext, name: string, value: Uint8Array): void {
  const { operations, rootless } = entry.layer;
  attempt(entry, name, () => {
    try {
      operations.setAttribute(metadataTarget(entry), name, value);
    } catch (error) {
      if (!rootless || !hasErrno(error, 'EACCES')) throw error;
      const { mode } = entry.header;
      operations.setMode(metadataTarget(entry), mode | 0o200);
      operations.setAttribute(metadataTarget(entry), name, value);
      operations.setMode(metadataTarget(entry), entry.directory?.mode === undefined ? mode : mode | 0o700);
    }
  });
}

/** What a directory passes on is known once its own metadata is. */
function notePlain({ layer, header, directory, fresh }: EntryContext): void {
  const { creator } = layer.operations;
  if (directory === undefined) return;
  if (creator === undefined || (layer.rootless && !fresh)) {
    directory.plain = undefined;
    return;
  }
  const isOwn = layer.rootless || ownerOf(layer, header).gid === creator.gid;
  directory.plain = isOwn && (header.mode & setGroup) === 0 && !header.xattrs.has(defaultAcl);
}

function removeOthers(entry: EntryContext): void {
  const { operations } = entry.layer;
  let names: string[] = [];
  attempt(entry, 'any', () => {
    names = operations.listAttributes(metadataTarget(entry));
  });
  for (const name of names) {
    if (!removable.test(name) || entry.header.xattrs.has(name)) continue;
    attempt(entry, name, () => operations.removeAttribute(metadataTarget(entry), name));
  }
}

/** Some attributes are out of reach: of a file system that has none, or of an ordinary user. All else fails. */
function attempt({ layer }: EntryContext, name: string, effect: () => void): void {
  try {
    effect();
  } catch (error) {
    if (hasErrno(error, 'ENOTSUP')) {
      layer.attributes = false;
      layer.warn({
        code: 'attributes-unsupported',
        message: 'the target file system has no extended attributes; they were left out',
      });
    } else if (layer.placeholderDevices && privileged.test(name) && hasErrno(error, 'EPERM')) {
      layer.warn({
        code: 'attribute-denied',
        message: `extended attributes such as ${name} were left out, since setting them needs root`,
      });
    } else {
      throw error;
    }
  }
}
