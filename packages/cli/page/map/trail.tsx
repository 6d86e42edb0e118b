import type { LayerView } from '../../src/explore/model/view.ts';
import { Name } from '../parts/name.tsx';

/** The way from the root to the directory that is shown. */
export function Trail({
  view,
  top,
  onTop,
}: {
  readonly view: LayerView;
  readonly top: number;
  readonly onTop: (node: number) => void;
}) {
  const { parents, packed } = view.tree;
  const nodes: number[] = [];
  for (let at = top; at > 0; at = parents[at] ?? 0) nodes.push(at);
  return (
    <nav class="trail" aria-label="Directory">
      <ol>
        {[0, ...nodes.reverse()].map((node) => (
          <li key={node}>
            {node === top ? (
              <span aria-current="location">
                {node === 0 ? '/' : <Name text={packed.names[node] ?? ''} />}
              </span>
            ) : (
              <button type="button" class="link" onClick={() => onTop(node)}>
                {node === 0 ? '/' : <Name text={packed.names[node] ?? ''} />}
              </button>
            )}
          </li>
        ))}
      </ol>
    </nav>
  );
}
