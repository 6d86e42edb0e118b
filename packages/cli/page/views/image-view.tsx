import { useCallback, useMemo, useState } from 'preact/hooks';
import { viewLayer } from '../../src/explore/model/view.ts';
import { FilesView, type Reveal } from '../files/files-view.tsx';
import { MapView } from '../map/map-view.tsx';
import { Tabs } from '../parts/tabs.tsx';
import type { OpenImage } from '../report.ts';
import { sizeText } from '../text.ts';
import { ConfigView } from './config-view.tsx';
import { HistoryView } from './history-view.tsx';
import { LayerStack } from './layer-stack.tsx';
import { SpaceView } from './space-view.tsx';
import { Summary } from './summary.tsx';

/** One image: its layers at the side, and what a tab shows of it. */
export function ImageView({ opened }: { readonly opened: OpenImage }) {
  const { image, tree } = opened;
  const [layer, setLayer] = useState(Math.max(0, image.layers.length - 1));
  const [tab, setTab] = useState('files');
  const [reveal, setReveal] = useState<Reveal | undefined>();
  const view = useMemo(() => viewLayer(tree, layer), [tree, layer]);
  const show = useCallback((node: number, at?: number) => {
    if (at !== undefined) setLayer(at);
    setReveal({ node });
    setTab('files');
    focusLater('[role=treegrid]');
  }, []);
  const unused = opened.wastedBytes + opened.duplicateBytes;
  return (
    <main class="workspace">
      <Summary opened={opened} current={layer} onLayer={setLayer} />
      <LayerStack layers={image.layers} current={layer} onSelect={setLayer} />
      <section class="content" aria-label="Contents">
        <Tabs
          label="Views of the image"
          current={tab}
          onSelect={setTab}
          tabs={[
            { id: 'files', label: 'Files' },
            { id: 'map', label: 'Map' },
            { id: 'space', label: 'Space', note: unused > 0 ? sizeText(unused) : undefined },
            { id: 'history', label: 'History' },
            { id: 'config', label: 'Config' },
          ]}
        >
          {tab === 'files' && (
            <FilesView
              view={view}
              heading={
                image.layers.length === 0 ? 'No layers' : `After layer ${layer + 1} of ${image.layers.length}`
              }
              reveal={reveal}
              opened={opened}
            />
          )}
          {tab === 'map' && <MapView view={view} layers={image.layers.length} onFile={show} />}
          {tab === 'space' && <SpaceView opened={opened} onFile={show} />}
          {tab === 'history' && (
            <HistoryView
              image={image}
              onLayer={(index) => {
                setLayer(index);
                setTab('files');
                focusLater('#tab-files');
              }}
            />
          )}
          {tab === 'config' && <ConfigView image={image} />}
        </Tabs>
      </section>
    </main>
  );
}

/** What was chosen is gone from the page: the focus goes where it leads to. */
function focusLater(selector: string): void {
  setTimeout(() => document.querySelector<HTMLElement>(selector)?.focus());
}
