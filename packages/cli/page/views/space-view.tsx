import { useState } from 'preact/hooks';
import type { DuplicateReport, WasteReport } from '../../src/explore/model/report.ts';
import { type FileTree, pathOfNode } from '../../src/explore/model/tree.ts';
import { Mark } from '../../src/explore/model/view.ts';
import { layerHue } from '../colours.ts';
import { MarkSign } from '../parts/mark.tsx';
import { Name } from '../parts/name.tsx';
import { Scroll } from '../parts/scroll.tsx';
import type { OpenImage } from '../report.ts';
import { countText, pluralText, shareText, sizeText } from '../text.ts';

type OnFile = (node: number, layer?: number) => void;

const pageSize = 100;

/** Bytes that could be saved: files that nobody sees, and files that are there more than once. */
export function SpaceView({ opened, onFile }: { readonly opened: OpenImage; readonly onFile: OnFile }) {
  const { image, tree, wastedBytes, duplicateBytes } = opened;
  return (
    <Scroll class="scroll" label="Space">
      <div class="space">
        <section>
          <h2>Wasted</h2>
          <p>
            {wastedBytes === 0
              ? 'Every byte of the layers is seen in the end.'
              : `${sizeText(wastedBytes)} of ${sizeText(image.layerBytes)} in the layers, ${shareText(wastedBytes, image.layerBytes)}, are files that a later layer replaces or removes. They travel with the image all the same.`}
          </p>
          <Waste wasted={image.wasted} tree={tree} onFile={onFile} />
        </section>
        <section>
          <h2>Duplicates</h2>
          <p>
            {duplicateBytes === 0
              ? 'No two files have the same content.'
              : `${sizeText(duplicateBytes)} are copies of files that are there already; hard links would share them.`}
          </p>
          <Duplicates groups={image.duplicates} tree={tree} onFile={onFile} />
        </section>
      </div>
    </Scroll>
  );
}

function Waste({
  wasted,
  tree,
  onFile,
}: {
  readonly wasted: readonly WasteReport[];
  readonly tree: FileTree;
  readonly onFile: OnFile;
}) {
  const [shown, setShown] = useState(pageSize);
  if (wasted.length === 0) return null;
  return (
    <>
      <table class="list">
        <thead>
          <tr>
            <th scope="col">File</th>
            <th scope="col">Layers</th>
            <th scope="col" class="number">
              Bytes
            </th>
          </tr>
        </thead>
        <tbody>
          {wasted.slice(0, shown).map(({ node, bytes, layers, fate }) => (
            <tr key={node}>
              <td class="signed">
                <MarkSign mark={fate === 'removed' ? Mark.removed : Mark.changed} />
                <button type="button" class="link" onClick={() => onFile(node, layers.at(-1))}>
                  <Name text={pathOfNode(tree, node)} />
                </button>
              </td>
              <td>
                {layers.map((layer) => (
                  <span key={layer} class="layer-tag" style={layerHue(layer)}>
                    {layer + 1}
                  </span>
                ))}
              </td>
              <td class="number">{sizeText(bytes)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <More total={wasted.length} shown={shown} onMore={setShown} />
    </>
  );
}

function Duplicates({
  groups,
  tree,
  onFile,
}: {
  readonly groups: readonly DuplicateReport[];
  readonly tree: FileTree;
  readonly onFile: OnFile;
}) {
  const [shown, setShown] = useState(pageSize);
  if (groups.length === 0) return null;
  return (
    <>
      <table class="list">
        <thead>
          <tr>
            <th scope="col">Files</th>
            <th scope="col" class="number">
              Each
            </th>
            <th scope="col" class="number">
              Saved
            </th>
          </tr>
        </thead>
        <tbody>
          {groups.slice(0, shown).map(({ digest, size, nodes }) => (
            <tr key={digest}>
              <td title={digest}>
                {nodes.slice(0, 12).map((node) => (
                  <div key={node}>
                    <button type="button" class="link" onClick={() => onFile(node)}>
                      <Name text={pathOfNode(tree, node)} />
                    </button>
                  </div>
                ))}
                {nodes.length > 12 && <span class="note">and {countText(nodes.length - 12)} more</span>}
              </td>
              <td class="number">{sizeText(size)}</td>
              <td class="number">{sizeText(size * (nodes.length - 1))}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <More total={groups.length} shown={shown} onMore={setShown} />
    </>
  );
}

function More({
  total,
  shown,
  onMore,
}: {
  readonly total: number;
  readonly shown: number;
  readonly onMore: (shown: number) => void;
}) {
  if (total <= shown) return null;
  return (
    <button type="button" class="more" onClick={() => onMore(shown * 4)}>
      Show more: {pluralText(total - shown, 'row')} left
    </button>
  );
}
