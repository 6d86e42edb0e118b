/** A line of `passwd(5)`. */
export interface PasswdEntry {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}

/** A line of `group(5)`. */
export interface GroupEntry {
  readonly name: string;
  readonly gid: number;
  readonly members: readonly string[];
}

function* linesOf(text: string): Generator<string[]> {
  for (const line of text.split('\n')) {
    const trimmed = line.trim();
    if (trimmed !== '' && !trimmed.startsWith('#')) yield trimmed.split(':');
  }
}

function id(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,10}$/.test(text) ? Number(text) : undefined;
}

/** The well-formed entries of a `passwd` file; other lines say nothing about anyone and are passed over. */
export function* parsePasswd(text: string): Generator<PasswdEntry> {
  for (const [name = '', , uidText, gidText, , home = ''] of linesOf(text)) {
    const uid = id(uidText);
    const gid = id(gidText);
    if (uid !== undefined && gid !== undefined) yield { name, uid, gid, home };
  }
}

/** The well-formed entries of a `group` file. */
export function* parseGroup(text: string): Generator<GroupEntry> {
  for (const [name = '', , gidText, members = ''] of linesOf(text)) {
    const gid = id(gidText);
    if (gid !== undefined) yield { name, gid, members: members === '' ? [] : members.split(',') };
  }
}
