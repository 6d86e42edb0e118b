/** What the columns are, for those who hear them too. */
const head = { role: 'row', 'aria-rowindex': 1 } as const;
const column = { role: 'columnheader' } as const;

/** The heading of the tree; two of its columns sort. */
export function TreeHead({
  sort,
  onSort,
  isComparison,
}: {
  readonly sort: 'name' | 'size';
  readonly onSort: (sort: 'name' | 'size') => void;
  readonly isComparison: boolean;
}) {
  const sorted = (name: 'name' | 'size', order: 'ascending' | 'descending') => ({
    ...column,
    'aria-sort': sort === name ? order : ('none' as const),
  });
  return (
    <div class="row row-head" {...head}>
      <span class="cell-name" {...sorted('name', 'ascending')}>
        <button type="button" onClick={() => onSort('name')}>
          Name
        </button>
      </span>
      <span class="cell-size" {...sorted('size', 'descending')}>
        <button type="button" onClick={() => onSort('size')}>
          {isComparison ? 'Change' : 'Size'}
        </button>
      </span>
      <span class="cell-mode" {...column}>
        Mode
      </span>
      <span class="cell-owner" {...column}>
        Owner
      </span>
      {!isComparison && (
        <span class="cell-layer" {...column}>
          Layer
        </span>
      )}
    </div>
  );
}
