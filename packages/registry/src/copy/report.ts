import type { Compression, Digest } from '@ocijs/image';
import type { TransferReport } from '../report.ts';

/** A layer that was compressed anew; its diffID is the same. */
export interface RecompressedReport {
  readonly from: Digest;
  readonly to: Digest;
  readonly compression: Compression;
}

/** A manifest or index that was copied with what it refers to. */
export interface ReferrerReport {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly artifactType?: string;
  readonly subject: Digest;
}

/** What a copy did. `digest` and `reference` are those at the destination. */
export interface CopyReport extends TransferReport {
  readonly source: { readonly reference: string; readonly digest: Digest };
  /** True when format or compression changed what the digest is of. */
  readonly digestChanged: boolean;
  readonly recompressed: readonly RecompressedReport[];
  /** With the option `referrers`. */
  readonly referrers?: readonly ReferrerReport[];
}
