import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { hasChildren } from '../../src/explore/model/rows.ts';
import type { LayerView } from '../../src/explore/model/view.ts';
import { FileRow } from './file-row.tsx';
import { nextRow } from './keys.ts';

/** Height of a row in CSS pixels; the style sheet has the same. */
const rowHeight = 26;
const overscan = 8;

/** The files as a tree of which only the rows in sight are in the document. */
export function TreeGrid({
  view,
  rows,
  sort,
  onSort,
  isOpen,
  onToggle,
  active,
  onActive,
  query,
  isComparison,
}: {
  readonly view: LayerView;
  readonly rows: Int32Array;
  readonly sort: 'name' | 'size';
  readonly onSort: (sort: 'name' | 'size') => void;
  readonly isOpen: (node: number) => boolean;
  readonly onToggle: (node: number) => void;
  readonly active: number | undefined;
  readonly onActive: (node: number) => void;
  readonly query: string;
  readonly isComparison: boolean;
}) {
  const scroller = useRef<HTMLDivElement>(null);
  const [top, setTop] = useState(0);
  const [height, setHeight] = useState(600);
  const place = active === undefined ? -1 : rows.indexOf(active);

  useLayoutEffect(() => {
    const element = scroller.current;
    if (element === null) return;
    const observer = new ResizeObserver(() => setHeight(element.clientHeight));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  useEffect(() => {
    const element = scroller.current;
    if (element === null || place < 0) return;
    const [from, to] = [place * rowHeight, (place + 1) * rowHeight];
    if (from < element.scrollTop) element.scrollTop = from;
    else if (to > element.scrollTop + element.clientHeight) element.scrollTop = to - element.clientHeight;
  }, [place, active]);

  const first = Math.max(0, Math.floor(top / rowHeight) - overscan);
  const last = Math.min(rows.length, Math.ceil((top + height) / rowHeight) + overscan);
  const seen = [...rows.subarray(first, last)];
  const isSeen = place >= first && place < last;
  const root = view.totals[0] ?? 0;

  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const isExpandable = active !== undefined && place >= 0 && hasChildren(view, active);
    const opened = isExpandable && isOpen(active);
    if (event.key === 'Enter' || event.key === ' ') {
      if (isExpandable) onToggle(active);
    } else if (event.key === 'ArrowRight' && isExpandable && !opened) onToggle(active);
    else if (event.key === 'ArrowLeft' && opened) onToggle(active);
    else {
      const next = nextRow(event.key, { view, rows, place, page: Math.floor(height / rowHeight) - 1 });
      if (next === undefined) return;
      onActive(next);
    }
    event.preventDefault();
  };
  // A click chooses, one on the arrow also turns, and so does a double click elsewhere.
  const onClick = (event: MouseEvent): void => {
    const element = event.target instanceof Element ? event.target : undefined;
    const node = element?.closest<HTMLElement>('[data-node]')?.dataset['node'];
    if (node === undefined) return;
    const isArrow = element?.classList.contains('twist') === true;
    if ((event.type === 'click') === isArrow && hasChildren(view, Number(node))) onToggle(Number(node));
    onActive(Number(node));
  };
  return (
    <div class={isComparison ? 'tree is-comparison' : 'tree'}>
      <div class="row row-head">
        <button type="button" class="cell-name" aria-pressed={sort === 'name'} onClick={() => onSort('name')}>
          Name
        </button>
        <button type="button" class="cell-size" aria-pressed={sort === 'size'} onClick={() => onSort('size')}>
          Size
        </button>
        <span class="cell-mode">Mode</span>
        <span class="cell-owner">Owner</span>
        {!isComparison && <span class="cell-layer">Layer</span>}
      </div>
      <div
        ref={scroller}
        class="rows"
        role="treegrid"
        aria-label="Files"
        aria-rowcount={rows.length}
        aria-colcount={isComparison ? 4 : 5}
        tabIndex={0}
        aria-activedescendant={isSeen ? `row-${active}` : undefined}
        onScroll={(event) => setTop(event.currentTarget.scrollTop)}
        onKeyDown={onKeyDown}
        onClick={onClick}
        onDblClick={onClick}
        onFocus={() => {
          const start = rows[Math.floor(top / rowHeight)];
          if (place < 0 && start !== undefined) onActive(start);
        }}
      >
        <div class="rows-space" style={{ height: `${rows.length * rowHeight}px` }}>
          {seen.map((node, index) => (
            <FileRow
              key={node}
              view={view}
              node={node}
              index={first + index}
              top={(first + index) * rowHeight}
              share={root === 0 ? 0 : (view.totals[node] ?? 0) / root}
              isActive={node === active}
              isOpen={isOpen(node)}
              query={query}
              isComparison={isComparison}
            />
          ))}
        </div>
        {rows.length === 0 && <p class="empty">No files.</p>}
      </div>
    </div>
  );
}
