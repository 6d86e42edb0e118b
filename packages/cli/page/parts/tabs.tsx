import type { ComponentChildren } from 'preact';
import { useRef } from 'preact/hooks';
import { moveFocus } from './focus.ts';

/** One of several things to show. */
export interface Tab {
  readonly id: string;
  readonly label: string;
  readonly note?: string | undefined;
}

/** Tabs as the ARIA practices have them: arrow keys move, one is in the order of Tab. */
export function Tabs({
  label,
  tabs,
  current,
  onSelect,
  children,
}: {
  readonly label: string;
  readonly tabs: readonly Tab[];
  readonly current: string;
  readonly onSelect: (id: string) => void;
  readonly children: ComponentChildren;
}) {
  const list = useRef<HTMLDivElement>(null);
  return (
    <>
      <div
        ref={list}
        class="tabs"
        role="tablist"
        aria-label={label}
        onKeyDown={(event) =>
          moveFocus(event, { within: list.current, selector: '[role=tab]', axis: 'horizontal', click: true })
        }
      >
        {tabs.map(({ id, label: name, note }) => (
          <button
            key={id}
            type="button"
            role="tab"
            id={`tab-${id}`}
            aria-selected={id === current}
            aria-controls="panel"
            tabIndex={id === current ? 0 : -1}
            onClick={() => onSelect(id)}
          >
            {name}
            {note !== undefined && <span class="note">{note}</span>}
          </button>
        ))}
      </div>
      <div id="panel" class={`panel panel-${current}`} role="tabpanel" aria-labelledby={`tab-${current}`}>
        {children}
      </div>
    </>
  );
}
