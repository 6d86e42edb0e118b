import { invalidTar, quoteName } from './failure.ts';
import type { TarBody } from './writer.ts';
import type { CompleteEntry } from './writer-entry.ts';

/** The body of an entry and what to call the entry in messages. */
export interface EntryBody {
  readonly body: TarBody | undefined;
  readonly label: string;
}

/** The chunks of a body, none of them empty. Throws ERR_OCI_TAR_INVALID unless they are as many bytes as the entry says. */
export async function* bodyOf(
  { type, size }: CompleteEntry,
  { body = new Uint8Array(), label }: EntryBody,
): AsyncGenerator<Uint8Array, void, undefined> {
  if (type !== 'file' && !(body instanceof Uint8Array && body.length === 0))
    throw invalidTar(`tar entry ${quoteName(label)} has a body but is not a file`, { entry: label });
  if (body instanceof Uint8Array) {
    if (body.length !== size) throw wrongSize(label, { expected: size, actual: body.length });
    if (size > 0) yield body;
    return;
  }
  let written = 0;
  for await (const chunk of body) {
    written += chunk.length;
    if (written > size) throw wrongSize(label, { expected: size, actual: written });
    if (chunk.length > 0) yield chunk;
  }
  if (written < size) throw wrongSize(label, { expected: size, actual: written });
}

function wrongSize(
  label: string,
  { expected, actual }: { readonly expected: number; readonly actual: number },
): Error {
  return invalidTar(`the body of tar entry ${quoteName(label)} has another size than its header`, {
    entry: label,
    expected,
    actual,
  });
}
