import { type Account, basicChallenge, basicCredentials, isAccount } from './credentials.ts';
import type { Gatekeeper } from './gatekeeper.ts';

/** Lets in whoever sends the account's name and password (RFC 7617). */
export function basicGatekeeper(account: Account): Gatekeeper {
  return {
    challenge: ({ headers }) =>
      isAccount(basicCredentials(headers.authorization), account) ? undefined : basicChallenge,
  };
}
