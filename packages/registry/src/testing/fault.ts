/**
 * What goes wrong with one request. Sizes are in bytes, times in milliseconds; a body that is too short for a fault comes
 * as it is.
 */
export type Fault =
  /** The registry is not asked; this is the answer, with the specification's error body. */
  | {
      readonly kind: 'status';
      /** For example 401, 404, 429, 500, 503. */
      readonly status: number;
      /** The `Retry-After` header, in seconds. */
      readonly retryAfterSeconds?: number;
      /** The code in the error body; default `TOOMANYREQUESTS` for 429, `UNAUTHORIZED` for 401, else `UNKNOWN`. */
      readonly code?: string;
      readonly headers?: Readonly<Record<string, string>>;
    }
  /** The connection ends without an answer: `before` the registry is asked, or `after` it did what it was asked to. */
  | { readonly kind: 'drop'; readonly when: 'before' | 'after' }
  /** The connection ends when so much of the request's body has gone to the registry. */
  | { readonly kind: 'drop-upload'; readonly after: number }
  /** The connection ends in the middle of the answer's body. */
  | { readonly kind: 'truncate'; readonly after: number }
  /** The body ends too early, and the answer's length says that this is all of it. */
  | { readonly kind: 'shorten'; readonly after: number }
  /** One byte of the body is another. */
  | { readonly kind: 'corrupt'; readonly at: number }
  /** The body comes at this speed. */
  | { readonly kind: 'slow'; readonly bytesPerSecond: number }
  /** The body pauses. */
  | { readonly kind: 'stall'; readonly after: number; readonly forMs: number }
  /** The answer comes late. */
  | { readonly kind: 'delay'; readonly ms: number }
  /** The client is sent to another host, which has the same content and wants no credentials. */
  | { readonly kind: 'redirect'; readonly status?: 301 | 302 | 303 | 307 | 308 }
  /** The `Range` header is not heeded: the answer is 200 with the whole body. */
  | { readonly kind: 'ignore-range' };

export type FaultKind = Fault['kind'];

/** One request as it came in. */
export interface SeenRequest {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** How many requests of this method and path there were so far, with this one; upload sessions count as one path. */
  readonly count: number;
}

/** Decides what goes wrong with a request; undefined means nothing. */
export type FaultPlan = (request: SeenRequest) => Fault | undefined;
