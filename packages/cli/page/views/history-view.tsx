import type { ImageReport } from '../../src/explore/model/report.ts';
import { layerHue } from '../colours.ts';
import { Name } from '../parts/name.tsx';
import { Scroll } from '../parts/scroll.tsx';
import { dateText, sizeText } from '../text.ts';

/** How the image was made, step by step. */
export function HistoryView({
  image,
  onLayer,
}: {
  readonly image: ImageReport;
  readonly onLayer: (layer: number) => void;
}) {
  return (
    <Scroll class="scroll" label="History">
      <ol class="history">
        {image.history.map(({ command, created, author, comment, layer }, index) => {
          const report = layer === undefined ? undefined : image.layers[layer];
          return (
            <li key={index} class={layer === undefined ? 'is-empty' : ''} style={layerHue(layer ?? 0)}>
              <div class="history-side">
                {layer === undefined || report === undefined ? (
                  <span class="note">no layer</span>
                ) : (
                  <button type="button" class="link" onClick={() => onLayer(layer)}>
                    Layer {layer + 1} · {sizeText(report.bytes)}
                  </button>
                )}
                {created !== undefined && <time class="note">{dateText(created)}</time>}
              </div>
              <div>
                <Instruction text={command} />
                {[author, comment].map(
                  (text) =>
                    text !== undefined &&
                    text !== '' && (
                      <p key={text} class="note">
                        <Name text={text} />
                      </p>
                    ),
                )}
              </div>
            </li>
          );
        })}
      </ol>
    </Scroll>
  );
}

/** A step with its keyword set apart, broken where a shell would be. */
function Instruction({ text }: { readonly text: string }) {
  const [, keyword = '', rest = text] = /^([A-Z]{3,11})(\s.*)$/s.exec(text) ?? [];
  const lines = rest.trim().split(/\s*&&\s*/);
  return (
    <code class="instruction">
      {keyword !== '' && <strong>{keyword} </strong>}
      {lines.map((line, index) => (
        <span key={index}>
          {index > 0 && '\n  && '}
          <Name text={line.replaceAll(/\s+/g, ' ')} />
        </span>
      ))}
    </code>
  );
}
