/** A package that the files of an image tell of. */
export interface FoundPackage {
  readonly type: 'deb' | 'apk' | 'rpm' | 'npm';
  readonly name: string;
  readonly version: string;
  readonly architecture?: string | undefined;
  /** As the package says it; not always an expression of SPDX. */
  readonly license?: string | undefined;
  /** What it was built from, with its version where that differs. */
  readonly source?: string | undefined;
  /** The file that tells of it. */
  readonly location: string;
}
