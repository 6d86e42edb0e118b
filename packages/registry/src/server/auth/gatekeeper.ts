import type { IncomingMessage } from 'node:http';
import { basicGatekeeper } from './basic.ts';
import { bearerGatekeeper } from './bearer.ts';
import type { TokenAnswer, TokenRequest } from './token-request.ts';

/** Who may use the server. */
export type RegistryAuth =
  | { readonly type: 'basic'; readonly username: string; readonly password: string }
  | {
      readonly type: 'bearer';
      readonly username: string;
      readonly password: string;
      /** Tokens for pulling are given to anybody. */
      readonly anonymousPull?: boolean;
      /** How long a token is good, in seconds; default 300. */
      readonly lifetime?: number;
    };

/** One thing that a request wants to do, as in a token scope. */
export interface Access {
  readonly repository: string;
  readonly action: 'pull' | 'push' | 'delete';
}

/** Decides about requests; undefined means yes, otherwise the `WWW-Authenticate` header to answer with. */
export interface Gatekeeper {
  challenge(request: IncomingMessage, wanted: readonly Access[]): string | undefined;
  /** Answers a token request; undefined when its credentials are wrong. */
  issueToken?(request: TokenRequest): TokenAnswer | undefined;
}

/** Makes the gatekeeper for an authentication setting. */
export function createGatekeeper(auth: RegistryAuth | undefined): Gatekeeper {
  if (auth === undefined) return { challenge: () => undefined };
  return auth.type === 'basic' ? basicGatekeeper(auth) : bearerGatekeeper(auth);
}
