import type { TreeFile } from '@ocijs/bundle';

/** Something that goes into the image; paths are relative to the root of the repository. */
export type NodeFile =
  | { readonly kind: 'file'; readonly path: string; readonly file: TreeFile; readonly isExecutable: boolean }
  | { readonly kind: 'link'; readonly path: string; readonly target: string };

export function sizeOf(files: readonly NodeFile[]): number {
  return files.reduce((sum, one) => sum + (one.kind === 'file' ? one.file.status.size : 0), 0);
}
