import { useMemo } from 'preact/hooks';
import { formatMode } from '../../src/edit/describe-file.ts';
import { differenceNames, fileTypes, versionKinds } from '../../src/explore/model/report.ts';
import { type FileTree, pathOfNode } from '../../src/explore/model/tree.ts';
import { isDirectoryAt, type LayerView, Mark } from '../../src/explore/model/view.ts';
import { layerHue } from '../colours.ts';
import { MarkSign } from '../parts/mark.tsx';
import { Name } from '../parts/name.tsx';
import { Scroll } from '../parts/scroll.tsx';
import type { OpenImage } from '../report.ts';
import { pluralText, shortDigest, sizeText, timeText } from '../text.ts';

const namesShown = 6;

/** Everything that is known of one file, and what each layer did to it. */
export function FileDetails({
  view,
  node,
  opened,
  onFile,
}: {
  readonly view: LayerView;
  readonly node: number | undefined;
  readonly opened: OpenImage | undefined;
  readonly onFile: (node: number) => void;
}) {
  const { tree } = view;
  const others = useMemo(() => (node === undefined ? [] : linksOf(view, node)), [view, node]);
  const version = node === undefined ? -1 : (view.versions[node] ?? -1);
  if (node === undefined || view.marks[node] === Mark.absent) return null;
  const copies = opened?.image.duplicates.find(({ nodes }) => nodes.includes(node));
  const { packed } = tree;
  const type = fileTypes[packed.types[version] ?? 3] ?? 'file';
  const isDirectory = isDirectoryAt(view, node);
  const target = tree.links.get(version);
  return (
    <Scroll class="details" label="Details of the file">
      <p class="details-path">
        <Name text={pathOfNode(tree, node)} />
        {target !== undefined && (
          <>
            {' → '}
            <Name text={target} />
          </>
        )}
      </p>
      <p class="details-facts">
        <span>{type.replace('-', ' ')}</span>
        {(type === 'file' || isDirectory) && <span>{sizeText(view.totals[node] ?? 0)}</span>}
        {isDirectory && <span>{pluralText(view.files[node] ?? 0, 'file')}</span>}
        {version >= 0 && (
          <>
            <span class="mono">{formatMode({ type, mode: packed.modes[version] ?? 0 })}</span>
            <span class="mono">
              {packed.uids[version]}:{packed.gids[version]}
            </span>
            <span>{timeText(packed.times[version] ?? 0)}</span>
          </>
        )}
        {(tree.attributes.get(version) ?? []).map((name) => (
          <Name key={name} text={name} class="mono" />
        ))}
      </p>
      <ul class="versions">
        {versionsOf(tree, node).map((each) => (
          <li key={each} class={(packed.layers[each] ?? 0) > view.layer ? 'is-later' : ''}>
            {opened === undefined ? (
              <span class="note">{packed.layers[each] === 0 ? 'first:' : 'second:'}</span>
            ) : (
              <span class="layer-tag" style={layerHue(packed.layers[each] ?? 0)}>
                <span class="hidden">layer </span>
                {(packed.layers[each] ?? 0) + 1}
              </span>
            )}
            <MarkSign mark={(packed.kinds[each] ?? 0) + Mark.added} />
            {describeVersion(tree, each)}
          </li>
        ))}
      </ul>
      <NameList title="Hard links" nodes={others} tree={tree} onFile={onFile} />
      {copies !== undefined && (
        <NameList
          title={`Same content, ${shortDigest(copies.digest)}`}
          nodes={copies.nodes.filter((other) => other !== node)}
          tree={tree}
          onFile={onFile}
        />
      )}
    </Scroll>
  );
}

function NameList({
  title,
  nodes,
  tree,
  onFile,
}: {
  readonly title: string;
  readonly nodes: readonly number[];
  readonly tree: FileTree;
  readonly onFile: (node: number) => void;
}) {
  if (nodes.length === 0) return null;
  return (
    <p class="details-names">
      <span class="note">{title}: </span>
      {nodes.slice(0, namesShown).map((node) => (
        <button key={node} type="button" class="link" onClick={() => onFile(node)}>
          <Name text={pathOfNode(tree, node)} />
        </button>
      ))}
      {nodes.length > namesShown && <span class="note">and {nodes.length - namesShown} more</span>}
    </p>
  );
}

function versionsOf(tree: FileTree, node: number): readonly number[] {
  const [from = 0, to = 0] = [tree.firstVersions[node], tree.firstVersions[node + 1]];
  return Array.from({ length: to - from }, (_, index) => from + index);
}

/** `changed: content, mode · 12 kB`. */
function describeVersion({ packed }: FileTree, version: number): string {
  const kind = versionKinds[packed.kinds[version] ?? 0] ?? 'added';
  if (kind === 'removed') return 'removed';
  const bits = packed.differences[version] ?? 0;
  const differences = differenceNames.filter((_, bit) => (bits & (1 << bit)) !== 0);
  const what = kind === 'added' ? kind : `changed: ${differences.join(', ') || 'nothing, written once more'}`;
  const isFile = fileTypes[packed.types[version] ?? 0] === 'file';
  return isFile ? `${what} · ${sizeText(packed.sizes[version] ?? 0)}` : what;
}

/** The other names of a file at the layer. */
function linksOf({ tree, versions, marks }: LayerView, node: number): number[] {
  const group = tree.groups[versions[node] ?? -1] ?? 0;
  if (group === 0) return [];
  const others: number[] = [];
  for (let other = 1; other < tree.length; other++) {
    if (other === node || marks[other] === Mark.absent || marks[other] === Mark.removed) continue;
    if (tree.groups[versions[other] ?? -1] === group) others.push(other);
  }
  return others;
}
