import {
  compareAnalyses,
  type FileVersion,
  type HistoryNode,
  type ImageAnalysis,
  storedSize,
  walkHistory,
} from '@ocijs/image';
import { imageSize, platformText } from '../../describe.ts';
import { differingFields } from '../../edit/differing-fields.ts';
import { historyLines } from './history-lines.ts';

/** What `oci explore --json` prints: the analysis of each image and, of two, what is different. */
export function analysisDocument(analyses: readonly ImageAnalysis[]): object {
  const [a, b] = analyses;
  return {
    images: analyses.map(imageDocument),
    ...(a === undefined || b === undefined
      ? {}
      : {
          comparison: {
            config: differingFields(a.image.config, b.image.config),
            files: changesByLayer(compareAnalyses(a, b)).get(1) ?? [],
          },
        }),
  };
}

function imageDocument(analysis: ImageAnalysis): object {
  const { image, files, bytes, layerBytes, layers, wasted, duplicates } = analysis;
  const changes = changesByLayer(analysis.history);
  return {
    reference: image.name,
    digest: image.descriptor.digest,
    platform: platformText(image.platform),
    size: imageSize(image),
    files,
    bytes,
    layerBytes,
    wastedBytes: wasted.reduce((sum, file) => sum + file.bytes, 0),
    duplicateBytes: duplicates.reduce((sum, { size, paths }) => sum + size * (paths.length - 1), 0),
    config: image.config,
    history: historyLines(image).map(({ layer, ...line }) => ({
      ...line,
      ...(layer === undefined ? {} : { layer: layer + 1 }),
    })),
    layers: layers.map(({ descriptor, history: _history, ...layer }, index) => ({
      layer: index + 1,
      digest: descriptor.digest,
      mediaType: descriptor.mediaType,
      size: descriptor.size,
      ...layer,
      changes: changes.get(index) ?? [],
    })),
    wasted: wasted.map(({ path, layers: holders, ...file }) => ({
      path: `/${path}`,
      ...file,
      layers: holders.map((layer) => layer + 1),
    })),
    duplicates: duplicates.map(({ paths, ...group }) => ({
      ...group,
      paths: paths.map((path) => `/${path}`),
    })),
  };
}

function changesByLayer(history: HistoryNode): ReadonlyMap<number, readonly object[]> {
  const changes = new Map<number, object[]>();
  const paths = new Map<HistoryNode, string>();
  for (const node of walkHistory(history)) {
    const path = node.parent === undefined ? '' : `${paths.get(node.parent)}/${node.name}`;
    if (node.children.size > 0) paths.set(node, path);
    for (const version of node.versions) {
      const ofLayer = changes.get(version.layer);
      const change = changeDocument(path === '' ? '/' : path, version);
      if (ofLayer === undefined) changes.set(version.layer, [change]);
      else ofLayer.push(change);
    }
  }
  return changes;
}

function changeDocument(path: string, { kind, differences, inode }: FileVersion): object {
  return {
    kind,
    path,
    type: inode.header.type,
    ...(kind === 'removed' ? {} : { size: storedSize(inode.header) }),
    ...(kind === 'changed' ? { differences } : {}),
  };
}
