import { formatMode } from '../../src/edit/describe-file.ts';
import { shownText } from '../../src/explore/model/names.ts';
import { fileTypes } from '../../src/explore/model/report.ts';
import { hasChildren } from '../../src/explore/model/rows.ts';
import { isDirectoryAt, type LayerView, Mark, originOf } from '../../src/explore/model/view.ts';
import { layerHue } from '../colours.ts';
import { MarkSign } from '../parts/mark.tsx';
import { growthText, sizeText } from '../text.ts';

/** The focus stays on the tree, which names the row that is meant. */
const cell = { role: 'gridcell' } as const;

/** One line of the tree; clicks are the tree's. */
export function FileRow({
  view,
  node,
  index,
  top,
  share,
  isActive,
  isOpen,
  query,
  growth,
}: {
  readonly view: LayerView;
  readonly node: number;
  readonly index: number;
  readonly top: number;
  readonly share: number;
  readonly isActive: boolean;
  readonly isOpen: boolean;
  readonly query: string;
  readonly growth: Float64Array | undefined;
}) {
  const { packed, links } = view.tree;
  const depth = packed.depths[node] ?? 1;
  const mark = view.marks[node] ?? 0;
  const version = view.versions[node] ?? 0;
  const isExpandable = hasChildren(view, node);
  const isDirectory = isDirectoryAt(view, node);
  const origin = originOf(view, node);
  const total = growth?.[node] ?? view.totals[node] ?? 0;
  const target = links.get(version);
  const holdsChanges = mark === Mark.same && ((view.below[node] ?? 0) & ~((1 << Mark.same) | 1)) !== 0;
  const type = fileTypes[packed.types[version] ?? 0] ?? 'file';
  const row = {
    role: 'row',
    'aria-level': depth,
    'aria-rowindex': index + 2,
    'aria-expanded': isExpandable ? isOpen : undefined,
    'aria-selected': isActive,
  } as const;
  return (
    <div
      id={`row-${node}`}
      class={`row${isActive ? ' is-active' : ''}${mark === Mark.removed ? ' is-removed' : ''}`}
      data-node={node}
      {...row}
      style={{ transform: `translateY(${top}px)` }}
    >
      <span class="cell-name" {...cell} style={{ paddingLeft: `min(${(depth - 1) * 16 + 4}px, 40%)` }}>
        <span class={`twist${isExpandable ? (isOpen ? ' is-open' : '') : ' is-none'}`} aria-hidden="true" />
        {mark === Mark.same ? (
          <span
            class={holdsChanges ? 'mark mark-below' : 'mark'}
            title={holdsChanges ? 'changed inside' : ''}
          >
            {holdsChanges && <span class="hidden">changed inside</span>}
          </span>
        ) : (
          <MarkSign mark={mark} />
        )}
        <bdi class={`name mark-name-${mark}${isDirectory ? ' is-directory' : ''}`}>
          <Highlighted text={shownText(packed.names[node] ?? '')} query={query} />
          {isDirectory && <span class="slash">/</span>}
        </bdi>
        {target !== undefined && (
          <span class="target">
            <span aria-hidden="true"> → </span>
            <span class="hidden"> leads to </span>
            <bdi>{shownText(target)}</bdi>
          </span>
        )}
      </span>
      <span class="cell-size" {...cell}>
        <span class="size-bar" aria-hidden="true" style={{ width: `${Math.min(1, share) * 100}%` }} />
        <span class={total === 0 ? 'note' : ''}>
          {type !== 'file' && !isDirectory ? '' : growth === undefined ? sizeText(total) : growthText(total)}
        </span>
      </span>
      <span class="cell-mode" {...cell}>
        {formatMode({ type, mode: packed.modes[version] ?? 0 })}
      </span>
      <span class="cell-owner" {...cell}>
        {packed.uids[version]}:{packed.gids[version]}
      </span>
      {growth === undefined && (
        <span class="cell-layer" {...cell}>
          <span class="layer-tag" style={layerHue(origin)}>
            <span class="hidden">layer </span>
            {origin + 1}
          </span>
        </span>
      )}
    </div>
  );
}

/** The part of a name that was looked for stands out. */
function Highlighted({ text, query }: { readonly text: string; readonly query: string }) {
  const wanted = query.trim().toLowerCase().split('/').at(-1)?.replaceAll('*', '') ?? '';
  const at = wanted === '' ? -1 : text.toLowerCase().indexOf(wanted);
  if (at < 0) return <>{text}</>;
  return (
    <>
      {text.slice(0, at)}
      <mark>{text.slice(at, at + wanted.length)}</mark>
      {text.slice(at + wanted.length)}
    </>
  );
}
