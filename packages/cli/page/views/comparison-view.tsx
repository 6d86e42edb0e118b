import { useMemo, useState } from 'preact/hooks';
import { growthOf, viewLayer } from '../../src/explore/model/view.ts';
import { layerHue } from '../colours.ts';
import { FilesView } from '../files/files-view.tsx';
import { MapView } from '../map/map-view.tsx';
import { Lines, Name } from '../parts/name.tsx';
import { Scroll } from '../parts/scroll.tsx';
import { Tabs } from '../parts/tabs.tsx';
import type { OpenImage, OpenReport } from '../report.ts';
import { countText, sizeText } from '../text.ts';

/** Two images side by side: figures, layers that both have, and the files that differ. */
export function ComparisonView({
  images,
  comparison,
}: {
  readonly images: readonly OpenImage[];
  readonly comparison: NonNullable<OpenReport['comparison']>;
}) {
  const [tab, setTab] = useState('files');
  const [view, growth] = useMemo(() => {
    const after = viewLayer(comparison.tree, 1);
    return [after, growthOf(viewLayer(comparison.tree, 0), after)] as const;
  }, [comparison]);
  const [a, b] = images;
  const { fields } = comparison.report;
  if (a === undefined || b === undefined) return null;
  return (
    <main class="workspace is-comparison">
      <Figures a={a} b={b} />
      <SharedLayers a={a} b={b} />
      <section class="content" aria-label="Differences">
        <Tabs
          label="Views of the differences"
          current={tab}
          onSelect={setTab}
          tabs={[
            { id: 'files', label: 'Files' },
            { id: 'map', label: 'Map' },
            { id: 'config', label: 'Config', note: fields.length > 0 ? countText(fields.length) : undefined },
          ]}
        >
          {tab === 'files' && (
            <FilesView view={view} heading="From the first to the second" growth={growth} />
          )}
          {tab === 'map' && <MapView view={view} layers={2} isComparison onFile={() => setTab('files')} />}
          {tab === 'config' && <Fields fields={fields} />}
        </Tabs>
      </section>
    </main>
  );
}

function Figures({ a, b }: { readonly a: OpenImage; readonly b: OpenImage }) {
  const rows: readonly (readonly [string, (image: OpenImage) => number, (value: number) => string])[] = [
    ['Download', ({ image }) => image.size, sizeText],
    ['On disk', ({ image }) => image.bytes, sizeText],
    ['Files', ({ image }) => image.files, countText],
    ['Wasted', ({ wastedBytes }) => wastedBytes, sizeText],
  ];
  return (
    <section class="summary" aria-label="Figures of both">
      <dl>
        {rows.map(([name, countOf, textOf]) => {
          const [one, other] = [countOf(a), countOf(b)];
          const more = other - one;
          return (
            <div class="figure" key={name}>
              <dt>{name}</dt>
              <dd>
                <strong>{textOf(other)}</strong>{' '}
                <span class="note">
                  {more === 0 ? 'as before' : `${more > 0 ? '+' : '\u2212'}${textOf(Math.abs(more))}`}
                </span>
              </dd>
            </div>
          );
        })}
      </dl>
    </section>
  );
}

/** The layers of the second image; those from the bottom that the first one has too need no transfer. */
function SharedLayers({ a, b }: { readonly a: OpenImage; readonly b: OpenImage }) {
  const layers = b.image.layers;
  const differs = layers.findIndex(({ diffId }, index) => diffId !== a.image.layers[index]?.diffId);
  const shared = differs < 0 ? layers.length : differs;
  const gone = a.image.layers.slice(shared);
  return (
    <aside class="layers" aria-label="Layers of both">
      <h2>Layers</h2>
      <p class="note">
        {shared === 0 ? 'None in common.' : `${shared} in common, ${layers.length - shared} new.`}
      </p>
      <ol>
        {gone.map((layer, index) => (
          <li key={`a${index}`} class="is-gone" style={layerHue(0)}>
            <LayerLine sign={'\u2212'} word="only in the first" command={layer.command} bytes={layer.bytes} />
          </li>
        ))}
        {layers
          .map((layer, index) => (
            <li key={`b${index}`} class={index < shared ? 'is-shared' : 'is-new'} style={layerHue(index)}>
              <LayerLine
                sign={index < shared ? '=' : '+'}
                word={index < shared ? 'in both' : 'only in the second'}
                command={layer.command}
                bytes={layer.bytes}
              />
            </li>
          ))
          .reverse()}
      </ol>
    </aside>
  );
}

function LayerLine({
  sign,
  word,
  command,
  bytes,
}: {
  readonly sign: string;
  readonly word: string;
  readonly command: string;
  readonly bytes: number;
}) {
  return (
    <div class="layer-line">
      <span class="layer-number" title={word}>
        <span aria-hidden="true">{sign}</span>
        <span class="hidden">{word}: </span>
      </span>
      <span class="layer-command">
        <Name text={command === '' ? 'no history' : command} />
      </span>
      <span class="layer-size">{sizeText(bytes)}</span>
    </div>
  );
}

function Fields({ fields }: { readonly fields: NonNullable<OpenReport['comparison']>['report']['fields'] }) {
  return (
    <Scroll class="scroll" label="Configuration">
      {fields.length === 0 ? (
        <p class="empty">The configurations are the same.</p>
      ) : (
        <table class="list fields">
          <thead>
            <tr>
              <th scope="col">Field</th>
              <th scope="col">First</th>
              <th scope="col">Second</th>
            </tr>
          </thead>
          <tbody>
            {fields.map(({ field, a, b }) => (
              <tr key={field}>
                <th scope="row">
                  <Name text={field} />
                </th>
                <td>{a === undefined ? <span class="note">none</span> : <Lines text={a} />}</td>
                <td>{b === undefined ? <span class="note">none</span> : <Lines text={b} />}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Scroll>
  );
}
