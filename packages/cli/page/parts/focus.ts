/** How {@link moveFocus} finds the next element. */
export interface MoveFocusOptions {
  readonly within: HTMLElement | null;
  readonly selector: string;
  readonly axis: 'horizontal' | 'vertical';
  /** Also does what a click on it does. */
  readonly click: boolean;
}

/** Moves the focus along a list with arrow keys, Home and End. */
export function moveFocus(event: KeyboardEvent, { within, selector, axis, click }: MoveFocusOptions): void {
  const items = [...(within?.querySelectorAll<HTMLElement>(selector) ?? [])];
  const at = items.indexOf(document.activeElement as HTMLElement);
  const [back, forth] = axis === 'horizontal' ? ['ArrowLeft', 'ArrowRight'] : ['ArrowUp', 'ArrowDown'];
  const places: Readonly<Record<string, number>> = {
    [back]: at - 1,
    [forth]: at + 1,
    Home: 0,
    End: items.length - 1,
  };
  const place = places[event.key];
  if (at < 0 || place === undefined) return;
  const item = items[Math.min(Math.max(place, 0), items.length - 1)];
  event.preventDefault();
  item?.focus();
  if (click) item?.click();
}
