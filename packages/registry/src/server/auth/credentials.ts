import { createHash, timingSafeEqual } from 'node:crypto';

/** The user that a server knows. */
export interface Account {
  readonly username: string;
  readonly password: string;
}

/** The name by which the server calls itself in challenges. */
export const service = 'oci-registry';

/** What a client is asked for that has to say who it is. */
export const basicChallenge: string = `Basic realm="${service}", charset="UTF-8"`;

/** The `user:password` of a Basic `Authorization` header; undefined when there is none. */
export function basicCredentials(authorization: string | undefined): string | undefined {
  const encoded = /^Basic (.+)$/i.exec(authorization ?? '')?.[1];
  return encoded === undefined ? undefined : Buffer.from(encoded, 'base64').toString();
}

/** Compares in a time that does not depend on where the texts differ. */
export function isAccount(given: string | undefined, { username, password }: Account): boolean {
  if (given === undefined) return false;
  const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(sha256(given), sha256(`${username}:${password}`));
}
