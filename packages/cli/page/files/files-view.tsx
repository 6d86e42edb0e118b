import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { isOpenIn, listRows } from '../../src/explore/model/rows.ts';
import { searchTree } from '../../src/explore/model/search.ts';
import { changeBits, type LayerView } from '../../src/explore/model/view.ts';
import type { OpenImage } from '../report.ts';
import { pluralText } from '../text.ts';
import { FileDetails } from './file-details.tsx';
import { Filters } from './filters.tsx';
import { TreeGrid } from './tree-grid.tsx';

/** A node that something else on the page leads to; a new object each time. */
export interface Reveal {
  readonly node: number;
}

/** The files at a layer, with what finds them. */
export function FilesView({
  view,
  heading,
  growth,
  reveal,
  opened,
}: {
  readonly view: LayerView;
  readonly heading: string;
  /** Of differences: by how many bytes each node grew. Then there are no layers, and only differences at first. */
  readonly growth?: Float64Array;
  readonly reveal?: Reveal | undefined;
  /** The image, to tell copies of a file; not for differences. */
  readonly opened?: OpenImage;
}) {
  const { tree } = view;
  const [query, setQuery] = useState('');
  const [only, setOnly] = useState(growth === undefined ? 0 : changeBits);
  const [sort, setSort] = useState<'name' | 'size'>('name');
  /** Directories that are not as they are at first: closed, or open while something is filtered. */
  const [toggled, setToggled] = useState<ReadonlySet<number>>(new Set());
  const [active, setActive] = useState<number>();
  const search = useRef<HTMLInputElement>(null);

  const result = useMemo(() => searchTree(view, query), [view, query]);
  const isSearching = result !== undefined;
  const isFiltered = isSearching || only !== 0;
  const isOpen = (node: number): boolean => isOpenIn(view, node, { isSearching, only, toggled });
  useEffect(() => setToggled(new Set()), [isFiltered]);
  const rows = useMemo(
    () =>
      listRows(view, {
        isOpen,
        only: only === 0 ? undefined : only,
        found: result?.found,
        sort,
        sizes: growth?.map(Math.abs),
      }),
    [view, toggled, only, result, sort, growth],
  );

  useEffect(() => {
    if (reveal === undefined) return;
    setQuery('');
    setOnly(0);
    const parents = new Set<number>();
    for (let at = tree.parents[reveal.node] ?? 0; at > 0; at = tree.parents[at] ?? 0) parents.add(at);
    // After the effect of a filter that ends.
    setTimeout(() => {
      setToggled((before) => new Set([...before, ...parents]));
      setActive(reveal.node);
    });
  }, [reveal, tree]);

  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      const isTyping = event.target instanceof HTMLInputElement;
      if (event.key !== '/' || isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      search.current?.focus();
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, []);

  const toggle = (node: number): void => {
    const next = new Set(toggled);
    if (!next.delete(node)) next.add(node);
    setToggled(next);
  };
  const status =
    result === undefined
      ? pluralText(view.files[0] ?? 0, 'file')
      : result.count === 0
        ? 'nothing found'
        : `${pluralText(result.count, 'name')} found`;
  return (
    <div class="files">
      <Filters
        view={view}
        heading={heading}
        status={status}
        query={query}
        onQuery={setQuery}
        only={only}
        onOnly={setOnly}
        input={search}
      />
      <TreeGrid
        view={view}
        rows={rows}
        sort={sort}
        onSort={setSort}
        isOpen={isOpen}
        onToggle={toggle}
        active={active}
        onActive={setActive}
        query={query}
        growth={growth}
      />
      <FileDetails view={view} node={active} opened={opened} onFile={setActive} />
    </div>
  );
}
