import { type Exchange, readBody } from '../exchange.ts';
import { RequestFailure } from '../failure.ts';
import { tokenRequestLimit } from '../limits.ts';
import { basicCredentials } from './credentials.ts';

/** What a client tells the token service, by GET or by an OAuth2 POST (distribution's token specification). */
export interface TokenRequest {
  /** `user:password`; undefined for a client that says nothing of itself. */
  readonly credentials?: string | undefined;
  readonly refreshToken?: string | undefined;
  readonly scopes: readonly string[];
  /** Whether a refresh token is wanted too. */
  readonly offline: boolean;
}

/** The body of a token service's answer. */
export interface TokenAnswer {
  readonly token: string;
  readonly access_token: string;
  readonly expires_in: number;
  readonly issued_at: string;
  readonly refresh_token?: string;
  /** What was granted, for an OAuth2 client. */
  readonly scope: string;
}

/** Reads a token request. Answers 400 to a grant that is not offered. */
export async function readTokenRequest(exchange: Exchange): Promise<TokenRequest> {
  const { request, url } = exchange;
  if (request.method !== 'POST') {
    return {
      credentials: basicCredentials(request.headers.authorization),
      scopes: scopesIn(url.searchParams),
      offline: url.searchParams.get('offline_token') === 'true',
    };
  }
  const form = new URLSearchParams((await readBody(exchange, tokenRequestLimit)).toString());
  const scopes = scopesIn(form);
  const offline = form.get('access_type') === 'offline';
  if (form.get('grant_type') === 'refresh_token')
    return { refreshToken: form.get('refresh_token') ?? '', scopes, offline };
  if (form.get('grant_type') === 'password')
    return { credentials: `${form.get('username') ?? ''}:${form.get('password') ?? ''}`, scopes, offline };
  throw new RequestFailure(400, ['UNSUPPORTED', 'grant_type is neither password nor refresh_token']);
}

function scopesIn(parameters: URLSearchParams): readonly string[] {
  return parameters.getAll('scope').flatMap((scope) => scope.split(' '));
}
