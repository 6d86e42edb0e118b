import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { hasChildren } from '../../src/explore/model/rows.ts';
import type { LayerView } from '../../src/explore/model/view.ts';
import { FileRow } from './file-row.tsx';
import { nextRow } from './keys.ts';
import { TreeHead } from './tree-head.tsx';

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
  growth,
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
  readonly growth: Float64Array | undefined;
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
    // The heading stays above the rows.
    const room = element.clientHeight - rowHeight;
    if (from < element.scrollTop) element.scrollTop = from;
    else if (to > element.scrollTop + room) element.scrollTop = to - room;
  }, [place, active]);

  const first = Math.max(0, Math.floor(top / rowHeight) - overscan);
  const last = Math.min(rows.length, Math.ceil((top + height) / rowHeight) + overscan);
  const seen = [...rows.subarray(first, last)];
  const isSeen = place >= first && place < last;
  const whole = useMemo(() => growth?.reduce((most, bytes) => Math.max(most, Math.abs(bytes)), 0), [growth]);
  const root = whole ?? view.totals[0] ?? 0;

  const onKeyDown = (event: KeyboardEvent): void => {
    // The heading has buttons of its own.
    if (event.target !== scroller.current || event.ctrlKey || event.metaKey || event.altKey) return;
    const isExpandable = active !== undefined && place >= 0 && hasChildren(view, active);
    const opened = isExpandable && isOpen(active);
    if (event.key === 'Enter' || event.key === ' ') {
      if (isExpandable) onToggle(active);
    } else if (event.key === 'ArrowRight' && isExpandable && !opened) onToggle(active);
    else if (event.key === 'ArrowLeft' && opened) onToggle(active);
    else {
      const next = nextRow(event.key, { view, rows, place, page: Math.floor(height / rowHeight) - 2 });
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
    <div class={growth === undefined ? 'tree' : 'tree is-comparison'}>
      <div
        ref={scroller}
        class="rows"
        role="treegrid"
        aria-label="Files"
        aria-rowcount={rows.length + 1}
        aria-colcount={growth === undefined ? 5 : 4}
        tabIndex={0}
        aria-activedescendant={isSeen ? `row-${active}` : undefined}
        onScroll={(event) => setTop(event.currentTarget.scrollTop)}
        onKeyDown={onKeyDown}
        onClick={onClick}
        onDblClick={onClick}
        onFocus={(event) => {
          if (event.target !== scroller.current) return;
          const start = rows[Math.floor(top / rowHeight)];
          if (place < 0 && start !== undefined) onActive(start);
        }}
      >
        <TreeHead sort={sort} onSort={onSort} isComparison={growth !== undefined} />
        <div class="rows-space" style={{ height: `${rows.length * rowHeight}px` }}>
          {seen.map((node, index) => (
            <FileRow
              key={node}
              view={view}
              node={node}
              index={first + index}
              top={(first + index) * rowHeight}
              share={root === 0 ? 0 : Math.abs(growth?.[node] ?? view.totals[node] ?? 0) / root}
              isActive={node === active}
              isOpen={isOpen(node)}
              query={query}
              growth={growth}
            />
          ))}
        </div>
        {rows.length === 0 && <p class="empty">No files.</p>}
      </div>
    </div>
  );
}
