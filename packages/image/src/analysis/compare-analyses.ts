import { createFileHistory, type HistoryNode } from './file-history.ts';
import type { ImageAnalysis } from './types.ts';

/**
 * What is different about the files of two images: a history of two steps, in which 0 is the one image and 1 the other.
 * Files that have the same content, metadata and attributes have one version alone. Nothing is read again.
 */
export function compareAnalyses(before: ImageAnalysis, after: ImageAnalysis): HistoryNode {
  const history = createFileHistory({
    contentOf: (inode) => before.contents.get(inode) ?? after.contents.get(inode),
    growing: false,
  });
  history.record(before.root, 0);
  history.record(after.root, 1);
  return history.root;
}
