import { Mark as MarkOf } from '../../src/explore/model/view.ts';

const signs: Readonly<Record<number, readonly [sign: string, word: string]>> = {
  [MarkOf.added]: ['+', 'added'],
  [MarkOf.changed]: ['~', 'changed'],
  [MarkOf.removed]: ['\u2212', 'removed'],
};

/** The sign of what a layer did to a name; the word is for those who do not see it. */
export function MarkSign({ mark }: { readonly mark: number }) {
  const [sign, word] = signs[mark] ?? ['', ''];
  return (
    <span class={`mark mark-${word}`} title={word}>
      <span aria-hidden="true">{sign}</span>
      <span class="hidden">{word}</span>
    </span>
  );
}

/** `+120 ~3 −2`. */
export function ChangeCounts({
  added,
  changed,
  removed,
}: {
  readonly added: number;
  readonly changed: number;
  readonly removed: number;
}) {
  return (
    <span class="counts">
      {added > 0 && <CountOf mark={MarkOf.added} count={added} />}
      {changed > 0 && <CountOf mark={MarkOf.changed} count={changed} />}
      {removed > 0 && <CountOf mark={MarkOf.removed} count={removed} />}
    </span>
  );
}

function CountOf({ mark, count }: { readonly mark: number; readonly count: number }) {
  const [sign, word] = signs[mark] ?? ['', ''];
  return (
    <span class={`mark-${word}`}>
      <span aria-hidden="true">{sign}</span>
      {count.toLocaleString('en')}
      <span class="hidden"> {word}</span>
    </span>
  );
}
