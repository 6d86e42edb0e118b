/** The error codes of distribution-spec 1.1, "Error Codes". */
export type DistributionCode =
  | 'BLOB_UNKNOWN'
  | 'BLOB_UPLOAD_INVALID'
  | 'BLOB_UPLOAD_UNKNOWN'
  | 'DIGEST_INVALID'
  | 'MANIFEST_BLOB_UNKNOWN'
  | 'MANIFEST_INVALID'
  | 'MANIFEST_UNKNOWN'
  | 'NAME_INVALID'
  | 'NAME_UNKNOWN'
  | 'SIZE_INVALID'
  | 'UNAUTHORIZED'
  | 'DENIED'
  | 'UNSUPPORTED'
  | 'TOOMANYREQUESTS'
  /** Not in the specification's list; what docker-registry answers for its own failures. */
  | 'UNKNOWN';

/** Extra parts of a {@link RequestFailure}. */
export interface RequestFailureOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly detail?: unknown;
}

/** An answer that is not a success; becomes the JSON error body of the specification. Never leaves the server. */
export class RequestFailure extends Error {
  readonly status: number;
  readonly code: DistributionCode;
  readonly headers: Readonly<Record<string, string>>;
  readonly detail: unknown;

  constructor(
    status: number,
    problem: readonly [DistributionCode, string],
    options: RequestFailureOptions = {},
  ) {
    super(problem[1]);
    this.status = status;
    this.code = problem[0];
    this.headers = options.headers ?? {};
    this.detail = options.detail;
  }
}
