import { shownText } from '../src/explore/model/names.ts';
import type { ComparisonReport, ImageReport, Report } from '../src/explore/model/report.ts';
import { type FileTree, openTree } from '../src/explore/model/tree.ts';

/** An image with its tree ready to be walked. */
export interface OpenImage {
  readonly image: ImageReport;
  readonly title: string;
  readonly tree: FileTree;
  readonly wastedBytes: number;
  readonly duplicateBytes: number;
}

/** A report that can be shown. */
export interface OpenReport {
  readonly generator: string;
  readonly images: readonly OpenImage[];
  readonly comparison: { readonly report: ComparisonReport; readonly tree: FileTree } | undefined;
}

/** Works out once what showing the report needs. */
export function openReport({ generator, images, comparison }: Report): OpenReport {
  return {
    generator,
    images: images.map((image) => ({
      image,
      title: shownText(image.name),
      tree: openTree(image.tree),
      wastedBytes: image.wasted.reduce((sum, { bytes }) => sum + bytes, 0),
      duplicateBytes: image.duplicates.reduce((sum, { size, nodes }) => sum + size * (nodes.length - 1), 0),
    })),
    comparison:
      comparison === undefined ? undefined : { report: comparison, tree: openTree(comparison.tree) },
  };
}
