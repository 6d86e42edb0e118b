/** A place in a Dockerfile, both counted from 1; columns in UTF-16 units, as editors do. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** A run of lines, both counted from 1 and included. */
export interface LineRange {
  readonly startLine: number;
  readonly endLine: number;
}
