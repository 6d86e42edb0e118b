import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { tokenLimit } from './limits.ts';

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
  issueToken?(request: IncomingMessage, scopes: readonly string[]): TokenAnswer | undefined;
}

/** The body of a token endpoint's answer. */
export interface TokenAnswer {
  readonly token: string;
  readonly access_token: string;
  readonly expires_in: number;
  readonly issued_at: string;
}

const service = 'oci-registry';

/** Makes the gatekeeper for an authentication setting. */
export function createGatekeeper(auth: RegistryAuth | undefined): Gatekeeper {
  if (auth === undefined) return { challenge: () => undefined };
  return auth.type === 'basic' ? basicGatekeeper(auth) : bearerGatekeeper(auth);
}

function basicGatekeeper(auth: { readonly username: string; readonly password: string }): Gatekeeper {
  return {
    challenge: (request) =>
      hasCredentials(request, auth) ? undefined : `Basic realm="${service}", charset="UTF-8"`,
  };
}

function bearerGatekeeper(auth: RegistryAuth & { readonly type: 'bearer' }): Gatekeeper {
  const tokens = new Map<string, { readonly allowed: ReadonlySet<string>; readonly expires: number }>();
  const lifetime = auth.lifetime ?? 300;
  return {
    challenge(request, wanted) {
      const token = /^Bearer (.+)$/i.exec(request.headers.authorization ?? '')?.[1];
      const known = token === undefined ? undefined : tokens.get(token);
      const valid = known !== undefined && known.expires > Date.now();
      if (valid && wanted.every((access) => known.allowed.has(`${access.repository}:${access.action}`))) {
        return undefined;
      }
      const scope = [...new Set(wanted.map(scopeOf))].join(' ');
      const parts = [`realm="http://${hostOf(request)}/token"`, `service="${service}"`];
      if (scope !== '') parts.push(`scope="${scope}"`);
      if (token !== undefined) parts.push(`error="${valid ? 'insufficient_scope' : 'invalid_token'}"`);
      return `Bearer ${parts.join(',')}`;
    },
    issueToken(request, scopes) {
      const isOwner = hasCredentials(request, auth);
      const isAnonymous = request.headers.authorization === undefined;
      if (!isOwner && !(isAnonymous && auth.anonymousPull === true)) return undefined;
      const allowed = new Set(
        scopes.flatMap(actionsOf).filter((action) => isOwner || action.endsWith(':pull')),
      );
      const token = randomBytes(32).toString('hex');
      const oldest = tokens.keys().next().value;
      if (tokens.size >= tokenLimit && oldest !== undefined) tokens.delete(oldest);
      tokens.set(token, { allowed, expires: Date.now() + lifetime * 1000 });
      return { token, access_token: token, expires_in: lifetime, issued_at: new Date().toISOString() };
    },
  };
}

function scopeOf({ repository, action }: Access): string {
  return `repository:${repository}:${action === 'push' ? 'pull,push' : action}`;
}

function actionsOf(scope: string): readonly string[] {
  const match = /^repository:([^:]+(?::\d+\/[^:]+)?):([a-z,*]+)$/.exec(scope);
  if (match === null) return [];
  const actions = match[2] === '*' ? ['pull', 'push', 'delete'] : (match[2] ?? '').split(',');
  return actions.map((action) => `${match[1]}:${action}`);
}

/** The client's own name for this server, so that the token address works from wherever it is. */
function hostOf(request: IncomingMessage): string {
  const { host } = request.headers;
  if (host !== undefined && /^[a-zA-Z0-9.:[\]-]{1,255}$/.test(host)) return host;
  return `127.0.0.1:${request.socket.localPort}`;
}

function hasCredentials(request: IncomingMessage, auth: { username: string; password: string }): boolean {
  const encoded = /^Basic (.+)$/i.exec(request.headers.authorization ?? '')?.[1];
  if (encoded === undefined) return false;
  const given = createHash('sha256').update(Buffer.from(encoded, 'base64')).digest();
  const wanted = createHash('sha256').update(`${auth.username}:${auth.password}`).digest();
  return timingSafeEqual(given, wanted);
}
