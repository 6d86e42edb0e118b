import type { Digest, DigestAlgorithm } from '../../digest/digest.ts';

/** What a hashing thread is asked. One question at a time for each file. */
export type HashRequest =
  /** Reads some bytes of an open file; they follow those of the question before. */
  | {
      readonly type: 'read';
      readonly id: number;
      readonly algorithm: DigestAlgorithm;
      readonly fd: number;
      readonly start: number;
      readonly end: number;
      /** Whether other files are being hashed by this thread. */
      readonly hasCompany: boolean;
    }
  /** Asks for the digest of everything read. */
  | { readonly type: 'digest'; readonly id: number; readonly algorithm: DigestAlgorithm }
  /** The file is of no interest any more. Not answered. */
  | { readonly type: 'forget'; readonly id: number };

/** What a hashing thread answers. */
export type HashReply =
  | { readonly type: 'read'; readonly id: number }
  | { readonly type: 'digest'; readonly id: number; readonly digest: Digest }
  | { readonly type: 'failed'; readonly id: number; readonly failure: HashFailure };

/** What the file system said; an error itself loses its fields between threads. */
export interface HashFailure {
  readonly message: string;
  readonly code: string | undefined;
  readonly syscall: string | undefined;
}
