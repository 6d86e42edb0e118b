import { compareAnalyses, type ImageAnalysis } from '@ocijs/image';
import { imageSize, platformText } from '../../describe.ts';
import { differingFields } from '../../edit/differing-fields.ts';
import type { ComparisonReport, ImageReport, Report } from '../model/report.ts';
import { configFacts } from './config-facts.ts';
import { historyLines } from './history-lines.ts';
import { packTree } from './pack-tree.ts';

/** What page and terminal show of one image, or of two and their differences. */
export function buildReport(analyses: readonly ImageAnalysis[], generator: string): Report {
  const [a, b] = analyses;
  return {
    format: 1,
    generator,
    images: analyses.map(describeAnalysis),
    ...(a === undefined || b === undefined ? {} : { comparison: compare(a, b) }),
  };
}

function describeAnalysis(analysis: ImageAnalysis): ImageReport {
  const { image } = analysis;
  const { packed, nodeOf } = packTree(analysis.history);
  const history = historyLines(image);
  const commands = history.filter(({ layer }) => layer !== undefined).map(({ command }) => command);
  return {
    name: image.name,
    digest: image.descriptor.digest,
    mediaType: image.descriptor.mediaType,
    platform: platformText(image.platform),
    ...(image.config.created === undefined ? {} : { created: image.config.created }),
    size: imageSize(image),
    bytes: analysis.bytes,
    files: analysis.files,
    layerBytes: analysis.layerBytes,
    layers: analysis.layers.map(({ descriptor, history: _history, ...layer }, index) => ({
      ...layer,
      digest: descriptor.digest,
      mediaType: descriptor.mediaType,
      size: descriptor.size,
      command: commands[index] ?? '',
    })),
    history,
    config: configFacts(image),
    wasted: analysis.wasted.map(({ path, ...file }) => ({ node: nodeOf(path), ...file })),
    duplicates: analysis.duplicates.map(({ paths, ...files }) => ({ ...files, nodes: paths.map(nodeOf) })),
    tree: packed,
  };
}

function compare(a: ImageAnalysis, b: ImageAnalysis): ComparisonReport {
  const fields = [
    // What differs in history follows from the layers, and is better read there.
    ...differingFields({ ...a.image.config, history: [] }, { ...b.image.config, history: [] }),
    ...differingFields(
      { annotations: a.image.manifest.annotations },
      { annotations: b.image.manifest.annotations },
    ),
  ];
  return {
    fields: fields.map(({ field, a: one, b: other }) => ({
      field,
      ...(one === undefined ? {} : { a: textOf(field, one, other) }),
      ...(other === undefined ? {} : { b: textOf(field, other, one) }),
    })),
    tree: packTree(compareAnalyses(a, b)).packed,
  };
}

/** Of the environment only the lines that the other image has not. */
function textOf(field: string, value: unknown, other: unknown): string {
  if (field === 'config.Env' && Array.isArray(value) && Array.isArray(other))
    return value.filter((line) => !other.includes(line)).join('\n');
  return typeof value === 'string' ? value : JSON.stringify(value);
}
