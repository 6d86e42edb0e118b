import type { Credentials } from '../options.ts';
import type { Transport } from '../transport/request.ts';
import { basicHeader } from './basic.ts';
import { type Challenge, parseChallenges } from './challenge.ts';
import { checkRealm } from './realm.ts';
import { cleanScopes } from './scope.ts';
import { type BearerToken, requestToken } from './token.ts';

/** Knows what to send as `Authorization` to one registry. */
export interface Authorizer {
  /** What is known to be needed for the scopes; undefined before the registry asked for anything. */
  authorization(scopes: readonly string[]): Promise<string | undefined>;
  /**
   * Answers a 401. `rejected` is what had been sent. Undefined when nothing better can be sent.
   */
  answer(challenges: readonly string[], request: ChallengedRequest): Promise<string | undefined>;
}

/** The request that met a 401. */
export interface ChallengedRequest {
  readonly scopes: readonly string[];
  readonly rejected: string | undefined;
}

/** What {@link createAuthorizer} works with. */
export interface AuthorizerOptions {
  readonly transport: Transport;
  /** The registry's origin; where the token service may be is judged by it. */
  readonly origin: URL;
  /** Looked up at the first challenge, once: public images need neither files nor helpers. */
  findCredentials(): Promise<Credentials | undefined>;
  /** Ends token requests when the client is closed. */
  readonly closed: AbortSignal;
}

interface KeyedScopes {
  readonly key: string;
  readonly scopes: readonly string[];
}

interface Bearer {
  readonly realm: URL;
  readonly service: string | undefined;
}

/** Keeps the scheme, the credentials and the tokens (by scope, until they expire) of one registry. */
export function createAuthorizer(options: AuthorizerOptions): Authorizer {
  const { transport, origin, closed } = options;
  const tokens = new Map<string, Promise<BearerToken>>();
  /** What a registry asks for beyond what we think an operation needs. */
  const askedScopes = new Map<string, readonly string[]>();
  let basic: string | undefined;
  let bearer: Bearer | undefined;
  let credentials: Promise<Credentials | undefined> | undefined;

  const findCredentials = (): Promise<Credentials | undefined> => {
    credentials ??= options.findCredentials();
    return credentials;
  };

  const freshToken = async ({ realm, service }: Bearer, scopes: readonly string[]): Promise<BearerToken> => {
    const known = await findCredentials();
    if (known !== undefined && 'registryToken' in known) {
      return { token: known.registryToken, expiresAt: Number.POSITIVE_INFINITY };
    }
    return requestToken(transport, { realm, service, scopes, credentials: known, closed });
  };

  const startToken = (service: Bearer, { key, scopes }: KeyedScopes): Promise<BearerToken> => {
    const pending = freshToken(service, askedScopes.get(key) ?? scopes);
    tokens.set(key, pending);
    // A failed request must not be what later requests get as their token.
    pending.catch(() => forget(key, pending));
    return pending;
  };

  const forget = (key: string, pending: Promise<BearerToken>): void => {
    if (tokens.get(key) === pending) tokens.delete(key);
  };

  const bearerHeader = async (service: Bearer, scopes: readonly string[]): Promise<string> => {
    const key = scopes.join(' ');
    const known = tokens.get(key);
    if (known !== undefined && (await known).expiresAt <= Date.now()) forget(key, known);
    const { token } = await (tokens.get(key) ?? startToken(service, { key, scopes }));
    return `Bearer ${token}`;
  };

  return {
    async authorization(wanted) {
      const scopes = cleanScopes(wanted);
      if (bearer !== undefined) return bearerHeader(bearer, scopes);
      return basic;
    },

    async answer(values, { scopes: wanted, rejected }) {
      const challenges = parseChallenges(values);
      const scopes = cleanScopes(wanted);
      const bearerChallenge = challenges.find(
        ({ scheme, parameters }) => scheme === 'bearer' && parameters.has('realm'),
      );
      if (bearerChallenge !== undefined) {
        const key = scopes.join(' ');
        bearer = readBearer(bearerChallenge, origin);
        askedScopes.set(key, cleanScopes([...scopes, ...scopesOf(bearerChallenge)]));
        if (rejected !== undefined) await dropToken(tokens, { key, rejected });
        const header = await bearerHeader(bearer, scopes);
        return header === rejected ? undefined : header;
      }
      if (!challenges.some(({ scheme }) => scheme === 'basic')) return undefined;
      const known = await findCredentials();
      if (known === undefined || !('username' in known)) return undefined;
      basic = basicHeader(known);
      return basic === rejected ? undefined : basic;
    },
  };
}

/** Forgets a token that the registry no longer takes, unless another request has already replaced it. */
async function dropToken(
  tokens: Map<string, Promise<BearerToken>>,
  { key, rejected }: { readonly key: string; readonly rejected: string },
): Promise<void> {
  const pending = tokens.get(key);
  if (pending !== undefined && `Bearer ${(await pending).token}` === rejected) tokens.delete(key);
}

function readBearer({ parameters }: Challenge, origin: URL): Bearer {
  return { realm: checkRealm(parameters.get('realm') ?? '', origin), service: parameters.get('service') };
}

function scopesOf({ parameters }: Challenge): readonly string[] {
  return (parameters.get('scope') ?? '').split(' ').filter((scope) => scope !== '');
}
