import { formatBytes } from '../../render/bytes.ts';
import { shownText } from '../model/names.ts';
import { differenceNames } from '../model/report.ts';
import { pathOfNode } from '../model/tree.ts';
import { Mark, markBit } from '../model/view.ts';
import { fit, fitRight, textWidth } from './cells.ts';
import { drawFiles } from './draw-files.ts';
import { boxName, drawMap } from './draw-map.ts';
import { layoutMap } from './map-layout.ts';
import { configLines, helpLines, historyLinesOf, spaceLines } from './pages.ts';
import type { Paint } from './paint.ts';
import { type ExploreState, mapTop, type Subject, tabs } from './state.ts';

/** The terminal that is drawn on. */
export interface Screen {
  readonly columns: number;
  readonly rows: number;
  readonly paint: Paint;
}

/** Lines above and below what scrolls. */
export const headLines = 4;
export const footLines = 3;

/** The lines of the part that scrolls, for tabs other than the files. */
export function pageLines(state: ExploreState, { columns, paint }: Screen): readonly string[] {
  const subject = state.subjects[state.subject] as Subject;
  if (state.isHelp) return helpLines({ columns, paint });
  if (state.tab === 'space') return spaceLines(subject, { columns, paint });
  if (state.tab === 'history') return historyLinesOf(subject, { columns, paint });
  if (state.tab === 'config') return configLines(state, { columns, paint });
  return [];
}

/** The whole screen, one string for each line; none is wider than the screen. */
export function drawScreen(state: ExploreState, screen: Screen): readonly string[] {
  const height = Math.max(1, screen.rows - headLines - footLines);
  const isPage = state.isHelp || (state.tab !== 'files' && state.tab !== 'map');
  const drawList = state.tab === 'map' ? drawMap : drawFiles;
  const body = !isPage
    ? drawList(state, { ...screen, height })
    : pageLines(state, screen).slice(state.isHelp ? 0 : state.top, (state.isHelp ? 0 : state.top) + height);
  const filled = [...body, ...Array.from({ length: Math.max(0, height - body.length) }, () => '')];
  return [...head(state, screen), ...filled.slice(0, height), ...foot(state, screen)].slice(0, screen.rows);
}

function head(state: ExploreState, { columns, paint }: Screen): readonly string[] {
  const { title, image } = state.subjects[state.subject] as Subject;
  const size =
    image === undefined
      ? `${state.report.comparison?.fields.length ?? 0} fields of the configuration differ`
      : `${formatBytes(image.size)} to pull, ${formatBytes(image.bytes)} on disk, ${formatBytes(sum(image.wasted))} wasted`;
  const bar = tabs.map((tab, index) => {
    const text = ` ${index + 1} ${tab[0]?.toUpperCase()}${tab.slice(1)} `;
    return state.tab === tab ? paint.chosen(text) : paint.quiet(text);
  });
  return [
    paint.strong(fit(shownText(title), columns)),
    fit(size, columns),
    layerLine(state, { columns, paint }),
    textWidth(tabs.map((tab) => ` 1 ${tab} `).join('')) <= columns ? bar.join('') : fit(state.tab, columns),
  ];
}

/** Which layer the files are shown at. */
function layerLine(state: ExploreState, { columns, paint }: Pick<Screen, 'columns' | 'paint'>): string {
  const { image } = state.subjects[state.subject] as Subject;
  const layer = image?.layers[state.layer];
  if (image === undefined) return fit('from the first image to the second', columns);
  if (layer === undefined) return fit('no layers', columns);
  const counts = `+${layer.added} ~${layer.changed} -${layer.removed}`;
  const start = `layer ${state.layer + 1}/${image.layers.length}  ${formatBytes(layer.bytes)}  ${counts}  `;
  const rest = Math.max(0, columns - textWidth(start));
  return columns < textWidth(start)
    ? fit(start, columns)
    : paint.accent(start) + fit(shownText(layer.command), rest);
}

function foot(state: ExploreState, screen: Screen): readonly string[] {
  if (state.tab === 'map' && !state.isHelp) return mapFoot(state, screen);
  const { columns, paint } = screen;
  const marks = [Mark.added, Mark.changed, Mark.removed].filter((mark) => (state.only & markBit(mark)) !== 0);
  const signs = marks.map((mark) => ({ 2: '+ added', 3: '~ changed', 4: '- removed' })[mark]);
  const search =
    state.isTyping || state.query !== '' ? `/${shownText(state.query)}${state.isTyping ? '_' : ''}  ` : '';
  const status = `${search}${signs.length > 0 ? `only ${signs.join(', ')}  ` : ''}by ${state.sort}`;
  const place =
    state.tab === 'files' ? `${Math.min(state.cursor + 1, state.rows.length)}/${state.rows.length}` : '';
  const images = state.subjects.length > 1 ? '  i image' : '';
  const hints = `arrows move  [ ] layer  / find  a c r filter  s sort  tab view${images}  ? help  q quit`;
  return [
    fit(state.tab === 'files' && !state.isHelp ? fileLine(state, state.rows[state.cursor]) : '', columns),
    fit(status, Math.max(0, columns - textWidth(place) - 1)) +
      fitRight(place, Math.min(columns, textWidth(place) + 1)),
    paint.quiet(fit(hints, columns)),
  ];
}

/** What is chosen on the map, in words: a map alone tells nothing to who does not see it. */
function mapFoot(state: ExploreState, { columns, rows, paint }: Screen): readonly string[] {
  const { view } = state;
  const top = mapTop(state);
  const lines = Math.max(1, rows - headLines - footLines);
  const boxes = layoutMap(view, top, { columns, lines });
  const cursor = Math.min(state.mapCursor, Math.max(0, boxes.length - 1));
  const box = boxes[cursor];
  const whole = view.totals[top] ?? 0;
  const place = `${Math.min(cursor + 1, boxes.length)}/${boxes.length}`;
  const where = `map of ${shownText(pathOfNode(view.tree, top))}  ${formatBytes(whole)}`;
  const chosen = box === undefined ? '' : `${boxName(view, box)}  ${formatBytes(box.bytes)}`;
  const facts = box?.node === undefined ? '' : `  ${fileLine(state, box.node)}`;
  const images = state.subjects.length > 1 ? '  i image' : '';
  return [
    fit(`${chosen}${facts}`, columns),
    fit(where, Math.max(0, columns - textWidth(place) - 1)) +
      fitRight(place, Math.min(columns, textWidth(place) + 1)),
    paint.quiet(
      fit(`arrows move  enter into  backspace out  [ ] layer  tab view${images}  ? help  q quit`, columns),
    ),
  ];
}

/** What the layers did to the file under the cursor: `/etc/hosts  +1 ~2 content,mode -4`. */
function fileLine({ view: { tree } }: ExploreState, node: number | undefined): string {
  if (node === undefined) return '';
  const { packed, firstVersions } = tree;
  const [from = 0, to = 0] = [firstVersions[node], firstVersions[node + 1]];
  const versions = Array.from({ length: to - from }, (_, index) => {
    const version = from + index;
    const bits = packed.differences[version] ?? 0;
    const differences = differenceNames.filter((_name, bit) => (bits & (1 << bit)) !== 0).join(',');
    return `${'+~-'[packed.kinds[version] ?? 0]}${(packed.layers[version] ?? 0) + 1}${differences === '' ? '' : ` ${differences}`}`;
  });
  return `${shownText(pathOfNode(tree, node))}  ${versions.join(' ')}`;
}

function sum(files: readonly { readonly bytes: number }[]): number {
  return files.reduce((bytes, file) => bytes + file.bytes, 0);
}
