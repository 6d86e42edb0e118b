import { useRef } from 'preact/hooks';
import type { LayerReport } from '../../src/explore/model/report.ts';
import { layerHue } from '../colours.ts';
import { moveFocus } from '../parts/focus.ts';
import { ChangeCounts } from '../parts/mark.tsx';
import { Name } from '../parts/name.tsx';
import { shortDigest, sizeText } from '../text.ts';

/** The layers, the newest on top; choosing one shows the files as they are once it was applied. */
export function LayerStack({
  layers,
  current,
  onSelect,
}: {
  readonly layers: readonly LayerReport[];
  readonly current: number;
  readonly onSelect: (layer: number) => void;
}) {
  const list = useRef<HTMLOListElement>(null);
  const largest = Math.max(1, ...layers.map(({ bytes }) => bytes));
  return (
    <nav class="layers" aria-label="Layers">
      <h2>Layers</h2>
      <ol
        ref={list}
        onKeyDown={(event) =>
          moveFocus(event, { within: list.current, selector: 'button', axis: 'vertical', click: true })
        }
      >
        {layers
          .map((layer, index) => (
            <li key={`${index}${layer.digest}`} style={layerHue(index)}>
              <button
                type="button"
                aria-current={index === current ? 'true' : undefined}
                tabIndex={index === current ? 0 : -1}
                title={shortDigest(layer.digest)}
                onClick={() => onSelect(index)}
              >
                <span class="layer-number">
                  <span class="hidden">Layer </span>
                  {index + 1}
                </span>
                <span class="layer-command">
                  <Name text={layer.command === '' ? 'no history' : layer.command} />
                </span>
                <span class="layer-size">{sizeText(layer.bytes)}</span>
                <span class="layer-bar" aria-hidden="true">
                  <span style={{ width: `${(layer.bytes / largest) * 100}%` }}>
                    {layer.wastedBytes > 0 && (
                      <span
                        class="layer-wasted"
                        style={{ width: `${(layer.wastedBytes / Math.max(1, layer.bytes)) * 100}%` }}
                      />
                    )}
                  </span>
                </span>
                <ChangeCounts added={layer.added} changed={layer.changed} removed={layer.removed} />
              </button>
            </li>
          ))
          .reverse()}
      </ol>
    </nav>
  );
}
