import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { pathOfNode } from '../../src/explore/model/tree.ts';
import {
  changeBits,
  isDirectoryAt,
  type LayerView,
  Mark,
  markBit,
  originOf,
} from '../../src/explore/model/view.ts';
import { layerHue, markHue } from '../colours.ts';
import { Choice } from '../parts/choice.tsx';
import { Name } from '../parts/name.tsx';
import { pluralText, shareText, sizeText } from '../text.ts';
import { layoutMap, type Tile, totalsOfMarks } from './layout.ts';
import { neighbourOf } from './neighbour.ts';
import { Trail } from './trail.tsx';

type Shown = 'all' | 'layer';

const comparedMarks = [Mark.added, Mark.changed, Mark.removed];
const markNames: Readonly<Record<number, string>> = {
  [Mark.added]: 'added',
  [Mark.changed]: 'changed',
  [Mark.removed]: 'removed',
};

function kindName(kind: number, isComparison: boolean): string {
  return isComparison ? (markNames[kind] ?? 'the same') : `layer ${kind + 1}`;
}

/** Files as areas: what is large is large, and the colour tells the layer that brought it. */
export function MapView({
  view,
  layers,
  onFile,
  isComparison = false,
}: {
  readonly view: LayerView;
  readonly layers: number;
  readonly onFile: (node: number) => void;
  readonly isComparison?: boolean;
}) {
  const [top, setTop] = useState(0);
  const [shown, setShown] = useState<Shown>(isComparison ? 'layer' : 'all');
  const [active, setActive] = useState<number>(0);
  const [hovered, setHovered] = useState<Tile>();
  const area = useRef<HTMLElement>(null);
  const [size, setSize] = useState({ width: 0, height: 0 });
  useLayoutEffect(() => {
    const element = area.current;
    if (element === null) return;
    const observer = new ResizeObserver(() =>
      setSize({ width: element.clientWidth, height: element.clientHeight }),
    );
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  const totals = useMemo(() => {
    if (shown === 'all') return view.totals;
    return totalsOfMarks(view, isComparison ? changeBits : markBit(Mark.added) | markBit(Mark.changed));
  }, [view, shown, isComparison]);
  const tiles = useMemo(() => {
    const kindOf = (node: number): number => (isComparison ? (view.marks[node] ?? 0) : originOf(view, node));
    return layoutMap(view, { top, totals, kindOf, ...size });
  }, [view, top, totals, size, isComparison]);
  useEffect(() => setTop(0), [view.tree]);
  useEffect(() => {
    setActive(
      Math.max(
        0,
        tiles.findIndex(({ isFrame }) => !isFrame),
      ),
    );
    setHovered(undefined);
  }, [tiles]);

  const enter = (tile: Tile): void => {
    const node = tile.node ?? tile.parent;
    if (isDirectoryAt(view, node) && node !== top) setTop(node);
    else if (tile.node !== undefined) onFile(tile.node);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const from = tiles[active];
    if (event.key === 'Escape' || event.key === 'Backspace') {
      if (top > 0) setTop(view.tree.parents[top] ?? 0);
      return;
    }
    const next = from === undefined ? undefined : neighbourOf(tiles, from, event.key);
    if (next === undefined) return;
    event.preventDefault();
    setActive(tiles.indexOf(next));
    area.current?.querySelector<HTMLElement>(`[data-tile="${tiles.indexOf(next)}"]`)?.focus();
  };
  const whole = totals[top] ?? 0;
  const told = hovered ?? tiles[active];
  return (
    <div class="map">
      <div class="map-tools">
        <Trail view={view} top={top} onTop={setTop} />
        {!isComparison && (
          <Choice
            label="What the map shows"
            value={shown}
            onChange={setShown}
            options={[
              { value: 'all', label: 'All files' },
              { value: 'layer', label: `Only layer ${view.layer + 1}` },
            ]}
          />
        )}
      </div>
      <section
        ref={area}
        class="map-area"
        aria-label="Map of the files by size. Arrow keys move, Enter goes into a directory, Escape goes back."
        onKeyDown={onKeyDown}
        onMouseLeave={() => setHovered(undefined)}
      >
        {tiles.map((tile, index) => (
          <MapTile
            key={`${tile.node ?? 'rest'}-${tile.parent}`}
            tile={tile}
            index={index}
            view={view}
            whole={whole}
            isComparison={isComparison}
            isActive={index === active}
            onEnter={enter}
            onHover={setHovered}
            onFocus={setActive}
          />
        ))}
        {tiles.length === 0 && <p class="empty">Nothing here takes room.</p>}
      </section>
      <div class="map-foot">
        <p class="map-told">
          {told !== undefined && (
            <>
              <Name text={pathOfNode(view.tree, told.node ?? told.parent)} />
              <span>
                {told.node === undefined ? `${pluralText(told.count, 'small thing')}, ` : ''}
                {sizeText(told.bytes)}, {shareText(told.bytes, whole)}
              </span>
            </>
          )}
        </p>
        <ul class="legend" aria-label="Colours">
          {(isComparison
            ? comparedMarks
            : Array.from({ length: Math.min(layers, 16) }, (_, index) => index)
          ).map((kind) => (
            <li key={kind} style={isComparison ? markHue(kind) : layerHue(kind)}>
              {kindName(kind, isComparison)}
            </li>
          ))}
        </ul>
      </div>
    </div>
  );
}

function MapTile({
  tile,
  index,
  view,
  whole,
  isComparison,
  isActive,
  onEnter,
  onHover,
  onFocus,
}: {
  readonly tile: Tile;
  readonly index: number;
  readonly view: LayerView;
  readonly whole: number;
  readonly isComparison: boolean;
  readonly isActive: boolean;
  readonly onEnter: (tile: Tile) => void;
  readonly onHover: (tile: Tile) => void;
  readonly onFocus: (index: number) => void;
}) {
  const { node, count, bytes, x, y, width, height, isFrame, kind } = tile;
  const name = node === undefined ? `${count} more` : (view.tree.packed.names[node] ?? '');
  const isDirectory = node !== undefined && isDirectoryAt(view, node);
  const hasText = width > 34 && height > 14;
  const hasSize = hasText && (isFrame ? width > 120 : height > 30 && width > 48);
  const kindText = kind < 0 ? '' : `, ${kindName(kind, isComparison)}`;
  return (
    <button
      type="button"
      class={`tile${isFrame ? ' is-frame' : ''}${node === undefined ? ' is-rest' : ''}`}
      data-tile={index}
      tabIndex={isActive ? 0 : -1}
      style={{
        ...(isComparison ? markHue(kind) : layerHue(kind)),
        left: `${x}px`,
        top: `${y}px`,
        width: `${width}px`,
        height: `${height}px`,
      }}
      onClick={() => onEnter(tile)}
      onFocus={() => onFocus(index)}
      onMouseEnter={() => onHover(tile)}
    >
      {/* What has no room is still read out. */}
      <span class={hasText ? 'tile-name' : 'hidden'}>
        <Name text={name} />
        {isDirectory && '/'}
      </span>
      <span class="hidden">, </span>
      <span class={hasSize ? 'tile-size' : 'hidden'}>{sizeText(bytes)}</span>
      <span class="hidden">
        , {shareText(bytes, whole)}
        {kindText}
      </span>
    </button>
  );
}
