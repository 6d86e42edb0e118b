import type { ComponentChildren } from 'preact';

/** What scrolls must be reached with the keyboard, although it does nothing else. */
const focusable = { tabIndex: 0 };

/** A part of the page that scrolls by itself. */
export function Scroll({
  label,
  class: className,
  children,
}: {
  readonly label: string;
  readonly class: string;
  readonly children: ComponentChildren;
}) {
  return (
    <section class={className} aria-label={label} {...focusable}>
      {children}
    </section>
  );
}
