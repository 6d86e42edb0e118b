import { formatBytes } from '../../render/bytes.ts';
import { shownText } from '../model/names.ts';
import { pathOfNode } from '../model/tree.ts';
import { fit, fitRight } from './cells.ts';
import type { Screen } from './draw.ts';
import type { ExploreState, Subject } from './state.ts';

type Page = Pick<Screen, 'columns' | 'paint'>;

/** How many files of a kind are listed. */
const listed = 1000;

/** Wasted space and duplicates. */
export function spaceLines({ image, tree }: Subject, { columns, paint }: Page): readonly string[] {
  if (image === undefined) return [fit('press i for one of the images', columns)];
  const wasted = image.wasted.slice(0, listed).map(({ node, bytes, fate, layers }) => {
    const holders = layers.map((layer) => layer + 1).join(',');
    const sign = fate === 'removed' ? '-' : '~';
    return fit(
      `${fitRight(formatBytes(bytes), 9)} ${sign} ${fitRight(holders, 4)} ${shownText(pathOfNode(tree, node))}`,
      columns,
    );
  });
  const duplicates = image.duplicates
    .slice(0, listed)
    .flatMap(({ size, nodes }) => [
      fit(
        `${fitRight(formatBytes(size * (nodes.length - 1)), 9)} ${nodes.length} copies of ${formatBytes(size)}`,
        columns,
      ),
      ...nodes.slice(0, 8).map((node) => fit(`            ${shownText(pathOfNode(tree, node))}`, columns)),
    ]);
  return [
    paint.strong(fit('Wasted: bytes, how it ended (- removed, ~ replaced), layer, file', columns)),
    ...(wasted.length === 0 ? [fit('          nothing', columns)] : wasted),
    '',
    paint.strong(fit('Duplicates: bytes that are there more than once', columns)),
    ...(duplicates.length === 0 ? [fit('          none', columns)] : duplicates),
  ];
}

/** How the image was made, the first step first. */
export function historyLinesOf({ image }: Subject, { columns, paint }: Page): readonly string[] {
  if (image === undefined) return [fit('press i for one of the images', columns)];
  return image.history.flatMap(({ layer, command, created }) => {
    const bytes = layer === undefined ? '' : formatBytes(image.layers[layer]?.bytes ?? 0);
    const number = layer === undefined ? '' : String(layer + 1);
    const head = `${fitRight(number, 3)} ${fitRight(bytes, 8)} ${fit(shownText(created ?? '').slice(0, 19), 19)} `;
    const [first = '', ...more] = wrap(
      shownText(command.replaceAll(/\s+/g, ' ')),
      Math.max(20, columns - head.length),
    );
    return [
      layer === undefined ? paint.quiet(fit(head + first, columns)) : fit(head + first, columns),
      ...more.map((line) => fit(' '.repeat(head.length) + line, columns)),
    ];
  });
}

/** The configuration, or how two differ. */
export function configLines(state: ExploreState, { columns, paint }: Page): readonly string[] {
  const { image } = state.subjects[state.subject] as Subject;
  if (image === undefined) {
    const fields = state.report.comparison?.fields ?? [];
    if (fields.length === 0) return [fit('the configurations are the same', columns)];
    return fields.flatMap(({ field, a, b }) => [
      paint.strong(fit(shownText(field), columns)),
      ...linesOf(a).map((line) => paint.removed(fit(`- ${line}`, columns))),
      ...linesOf(b).map((line) => paint.added(fit(`+ ${line}`, columns))),
    ]);
  }
  return image.config.flatMap(({ title, facts }) => [
    paint.strong(fit(title, columns)),
    ...facts.flatMap(([name, value]) => {
      const label = `  ${fit(shownText(name), 22)} `;
      const [first = '', ...more] = wrap(shownText(value), Math.max(20, columns - label.length));
      return [
        fit(label + first, columns),
        ...more.map((line) => fit(' '.repeat(label.length) + line, columns)),
      ];
    }),
    '',
  ]);
}

function linesOf(value: string | undefined): readonly string[] {
  return value === undefined || value === '' ? [] : value.split('\n').map(shownText);
}

/** What the keys do. */
export function helpLines({ columns, paint }: Page): readonly string[] {
  const keys: readonly (readonly [string, string])[] = [
    ['up down, j k', 'move'],
    ['right left, enter', 'open and close a directory'],
    ['page up, page down, home, end', 'move far'],
    ['[ and ]', 'the layer below, the layer above'],
    ['/', 'find: part of a name, of a path, *.so; escape ends it'],
    ['a c r', 'only what the layer added, changed, removed'],
    ['s', 'the largest first, or by name'],
    ['tab, 1 2 3 4 5', 'files, map, space, history, configuration'],
    ['arrows, enter, backspace', 'on the map: to a neighbour, into a directory, out of it'],
    ['i', 'the next image, or the differences of two'],
    ['q, Ctrl-C', 'quit'],
  ];
  return [
    paint.strong(fit('Keys', columns)),
    ...keys.map(([key, what]) => fit(`  ${fit(key, 30)} ${what}`, columns)),
    '',
    fit('  + added, ~ changed, - removed by the layer; the last column is the layer', columns),
    fit('  that a file comes from. Any key goes back.', columns),
  ];
}

function wrap(text: string, columns: number): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > columns) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
    while (line.length > columns) {
      lines.push(line.slice(0, columns));
      line = line.slice(columns);
    }
  }
  return [...lines, line];
}
