import { layerHue } from '../colours.ts';
import type { OpenImage } from '../report.ts';
import { pluralText, shareText, sizeText } from '../text.ts';

/** The figures of an image, and its layers as parts of one bar. */
export function Summary({
  opened,
  current,
  onLayer,
}: {
  readonly opened: OpenImage;
  readonly current: number;
  readonly onLayer: (layer: number) => void;
}) {
  const { image, wastedBytes, duplicateBytes } = opened;
  return (
    <section class="summary" aria-label="Summary">
      <dl>
        <Figure
          name="Download"
          value={sizeText(image.size)}
          note={pluralText(image.layers.length, 'layer')}
        />
        <Figure name="On disk" value={sizeText(image.bytes)} note={pluralText(image.files, 'file')} />
        <Figure
          name="Wasted"
          value={sizeText(wastedBytes)}
          note={`${shareText(wastedBytes, image.layerBytes)} of the layers`}
          isPoor={wastedBytes > image.layerBytes * 0.05}
        />
        <Figure
          name="Duplicates"
          value={sizeText(duplicateBytes)}
          note={pluralText(image.duplicates.length, 'group')}
          isPoor={duplicateBytes > image.bytes * 0.05}
        />
      </dl>
      {/* The same as the list of layers, for the mouse. */}
      <div class="proportions" aria-hidden="true">
        {image.layers.map(({ bytes, digest }, layer) => (
          <button
            type="button"
            tabIndex={-1}
            key={`${layer}${digest}`}
            class={layer === current ? 'is-current' : ''}
            style={{ ...layerHue(layer), flexGrow: String(Math.max(bytes, image.layerBytes / 400)) }}
            title={`Layer ${layer + 1}: ${sizeText(bytes)}`}
            onClick={() => onLayer(layer)}
          />
        ))}
      </div>
    </section>
  );
}

function Figure({
  name,
  value,
  note,
  isPoor = false,
}: {
  readonly name: string;
  readonly value: string;
  readonly note: string;
  readonly isPoor?: boolean;
}) {
  return (
    <div class={isPoor ? 'figure is-poor' : 'figure'}>
      <dt>{name}</dt>
      <dd>
        <strong>{value}</strong> <span class="note">{note}</span>
      </dd>
    </div>
  );
}
