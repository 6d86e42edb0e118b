/** The attribute with a program's capabilities. */
export const fileCapability = 'security.capability';

const effective = 1;
const revision2 = 0x0200_0000;
const revision3 = 0x0300_0000;
const bytes2 = 20;
const bytes3 = 24;

/**
 * The capabilities as a layer has them, which knows no user namespace: for a file of the namespace whose root is `rootId`
 * outside. Those of another namespace stay as they are.
 */
export function plainCapability(value: Buffer, { rootId }: { readonly rootId: number }): Buffer {
  const isOfNamespace = value.length === bytes3 && value.readUInt32LE(bytes2) === rootId;
  return isOfNamespace ? Buffer.from(capabilityFor(value, { rootId: 0 })) : value;
}

/**
 * The capabilities of a file for a user namespace whose root is `rootId` outside (`struct vfs_ns_cap_data`): the kernel honours
 * them there only, and not at all those without a root. Values of unknown form stay as they are.
 */
export function capabilityFor(value: Uint8Array, { rootId }: { readonly rootId: number }): Uint8Array {
  const view = Buffer.from(value);
  if (view.length < bytes2) return value;
  const magic = view.readUInt32LE(0);
  const revision = (magic & 0xff00_0000) >>> 0;
  if (
    !(revision === revision2 && view.length === bytes2) &&
    !(revision === revision3 && view.length === bytes3)
  )
    return value;
  const mapped = Buffer.alloc(rootId === 0 ? bytes2 : bytes3);
  view.copy(mapped, 0, 0, bytes2);
  mapped.writeUInt32LE(((rootId === 0 ? revision2 : revision3) | (magic & effective)) >>> 0, 0);
  if (rootId !== 0) mapped.writeUInt32LE(rootId, bytes2);
  return mapped;
}
