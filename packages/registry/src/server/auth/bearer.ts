import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { tokenLimit } from '../limits.ts';
import { type Account, isAccount, service } from './credentials.ts';
import type { Gatekeeper } from './gatekeeper.ts';
import { actionsOf, scopeOf } from './scope.ts';
import type { TokenRequest } from './token-request.ts';

/** How the server's own token service behaves. */
export interface BearerSettings extends Account {
  readonly anonymousPull?: boolean;
  readonly lifetime?: number;
}

interface Grant {
  readonly allowed: ReadonlySet<string>;
  readonly expires: number;
}

/** Lets in whoever has a token of the server's own token service; tokens are forgotten when the server ends. */
export function bearerGatekeeper(settings: BearerSettings): Gatekeeper {
  const tokens = new Map<string, Grant>();
  const refreshTokens = new Map<string, true>();
  const { lifetime = 300, anonymousPull = false } = settings;

  const isOwner = ({ credentials, refreshToken }: TokenRequest): boolean =>
    refreshToken === undefined ? isAccount(credentials, settings) : refreshTokens.has(refreshToken);

  return {
    challenge(request, wanted) {
      const token = /^Bearer (.+)$/i.exec(request.headers.authorization ?? '')?.[1];
      const known = token === undefined ? undefined : tokens.get(token);
      const valid = known !== undefined && known.expires > Date.now();
      if (valid && wanted.every((access) => known.allowed.has(`${access.repository}:${access.action}`))) {
        return undefined;
      }
      const scope = [...new Set(wanted.map(scopeOf))].join(' ');
      const parts = [`realm="${originOf(request)}/token"`, `service="${service}"`];
      if (scope !== '') parts.push(`scope="${scope}"`);
      if (token !== undefined) parts.push(`error="${valid ? 'insufficient_scope' : 'invalid_token'}"`);
      return `Bearer ${parts.join(',')}`;
    },
    issueToken(request) {
      const owner = isOwner(request);
      const isAnonymous = request.credentials === undefined && request.refreshToken === undefined;
      if (!owner && !(isAnonymous && anonymousPull)) return undefined;
      const granted = request.scopes.flatMap(actionsOf).filter((action) => owner || action.endsWith(':pull'));
      const token = remember(tokens, {
        allowed: new Set(granted),
        expires: Date.now() + lifetime * 1000,
      });
      return {
        token,
        access_token: token,
        expires_in: lifetime,
        issued_at: new Date().toISOString(),
        scope: granted.map((action) => `repository:${action}`).join(' '),
        ...(owner && request.offline ? { refresh_token: remember(refreshTokens, true) } : {}),
      };
    },
  };
}

function remember<T>(known: Map<string, T>, value: T): string {
  const token = randomBytes(32).toString('hex');
  const oldest = known.keys().next().value;
  if (known.size >= tokenLimit && oldest !== undefined) known.delete(oldest);
  known.set(token, value);
  return token;
}

/** The client's own address of this server, so that the token address works from wherever it is, also behind a proxy that ends TLS. */
function originOf(request: IncomingMessage): string {
  const { host, 'x-forwarded-proto': forwarded } = request.headers;
  const isSecure = 'encrypted' in request.socket || forwarded === 'https';
  const known = host !== undefined && /^[a-zA-Z0-9.:[\]-]{1,255}$/.test(host);
  return `${isSecure ? 'https' : 'http'}://${known ? host : `127.0.0.1:${request.socket.localPort}`}`;
}
