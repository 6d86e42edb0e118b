import type { RefObject } from 'preact';
import { useMemo } from 'preact/hooks';
import { type LayerView, Mark, markBit } from '../../src/explore/model/view.ts';
import { countText } from '../text.ts';

const kinds = [
  { mark: Mark.added, sign: '+', word: 'added' },
  { mark: Mark.changed, sign: '~', word: 'changed' },
  { mark: Mark.removed, sign: '\u2212', word: 'removed' },
] as const;

/** The search, and buttons that leave of the files only what the layer added, changed or removed. */
export function Filters({
  view,
  heading,
  status,
  query,
  onQuery,
  only,
  onOnly,
  input,
}: {
  readonly view: LayerView;
  readonly heading: string;
  readonly status: string;
  readonly query: string;
  readonly onQuery: (query: string) => void;
  readonly only: number;
  readonly onOnly: (only: number) => void;
  readonly input: RefObject<HTMLInputElement | null>;
}) {
  const counts = useMemo(() => countMarks(view), [view]);
  return (
    <div class="filters">
      <div class="search">
        <svg viewBox="0 0 16 16" width="14" height="14" aria-hidden="true">
          <path
            fill="none"
            stroke="currentColor"
            stroke-width="1.6"
            d="M11 6.5a4.5 4.5 0 1 1-9 0 4.5 4.5 0 0 1 9 0zM10 10l4.5 4.5"
          />
        </svg>
        <input
          ref={input}
          type="search"
          placeholder="Find files: name, part/of/path, *.so"
          aria-label="Find files"
          aria-keyshortcuts="/"
          spellcheck={false}
          autocomplete="off"
          value={query}
          onInput={(event) => onQuery(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key !== 'Escape') return;
            event.preventDefault();
            onQuery('');
          }}
        />
        <span class="key" aria-hidden="true">
          /
        </span>
      </div>
      <fieldset class="mark-filters">
        <legend class="hidden">Show only what the layer</legend>
        {kinds.map(({ mark, sign, word }) => (
          <button
            key={word}
            type="button"
            class={`mark-${word}`}
            aria-pressed={(only & markBit(mark)) !== 0}
            disabled={counts[mark] === 0 && (only & markBit(mark)) === 0}
            onClick={() => onOnly(only ^ markBit(mark))}
          >
            <span aria-hidden="true">{sign}</span>
            {countText(counts[mark] ?? 0)} <span class="word">{word}</span>
          </button>
        ))}
      </fieldset>
      <p class="files-heading">
        <span class="heading">{heading}</span>
        <span role="status">{status}</span>
      </p>
    </div>
  );
}

function countMarks({ marks }: LayerView): readonly number[] {
  const counts = [0, 0, 0, 0, 0];
  for (const mark of marks) counts[mark] = (counts[mark] ?? 0) + 1;
  return counts;
}
