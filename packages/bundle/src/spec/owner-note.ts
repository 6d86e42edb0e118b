/** Where tools without privileges note who a file belongs to (umoci, PRoot). */
export const ownerNoteName = 'user.rootlesscontainers';

/** "As it is", for an id that needs no note. */
const asItIs = 0xffff_ffff;

/** What a note says; an id that is left out is as it is. */
export interface OwnerNote {
  readonly uid?: number;
  readonly gid?: number;
}

/** The value of a note: a message of Protocol Buffers with the ids as fields 1 and 2, as umoci writes it. */
export function encodeOwnerNote({ uid = asItIs, gid = asItIs }: OwnerNote): Buffer {
  return Buffer.from([0x08, ...varint(uid), 0x10, ...varint(gid)]);
}

function varint(value: number): readonly number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  return [...bytes, rest];
}

/** Reads the value of a note; a field that is missing is 0. Undefined for a value of another form. */
export function parseOwnerNote(value: Uint8Array): OwnerNote | undefined {
  const fields = new Map<number, number>();
  for (let index = 0; index < value.length; ) {
    const field = value[index++] ?? 0;
    let number = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = value[index++];
      if (byte === undefined || shift > 28) return undefined;
      number += (byte & 0x7f) * 2 ** shift;
      if ((byte & 0x80) === 0) break;
    }
    if ((field & 7) !== 0) return undefined;
    fields.set(field >> 3, number);
  }
  const [uid, gid] = [fields.get(1) ?? 0, fields.get(2) ?? 0];
  return { ...(uid === asItIs ? {} : { uid }), ...(gid === asItIs ? {} : { gid }) };
}
