import { formatMode } from '../../edit/describe-file.ts';
import { formatBytes } from '../../render/bytes.ts';
import { shownText } from '../model/names.ts';
import { fileTypes } from '../model/report.ts';
import { hasChildren } from '../model/rows.ts';
import { isDirectoryAt, Mark, originOf } from '../model/view.ts';
import { fit, fitRight } from './cells.ts';
import type { Screen } from './draw.ts';
import { type ExploreState, isOpen } from './state.ts';

/** What marks look like; nothing for what is as it was. */
export const markSigns: Readonly<Record<number, string>> = {
  [Mark.added]: '+',
  [Mark.changed]: '~',
  [Mark.removed]: '-',
};

const barWidth = 10;
/** What lies deeper stands no further to the right, or it would be out of sight. */
const deepestIndent = 12;

/** The rows of the tree in sight. */
export function drawFiles(
  state: ExploreState,
  { columns, paint, height }: Screen & { readonly height: number },
): readonly string[] {
  if (state.rows.length === 0) return [fit('  no files', columns)];
  const whole = state.view.totals[0] ?? 0;
  return [...state.rows.subarray(state.top, state.top + height)].map((node, index) => {
    const isChosen = state.top + index === state.cursor;
    const line = row(state, node, { columns, whole, isChosen });
    if (isChosen) return paint.chosen(line);
    const mark = state.view.marks[node];
    if (mark === Mark.added) return paint.added(line);
    if (mark === Mark.changed) return paint.changed(line);
    return mark === Mark.removed ? paint.removed(line) : line;
  });
}

function row(
  state: ExploreState,
  node: number,
  {
    columns,
    whole,
    isChosen,
  }: { readonly columns: number; readonly whole: number; readonly isChosen: boolean },
): string {
  const { view } = state;
  const { packed, links } = view.tree;
  const version = view.versions[node] ?? 0;
  const total = view.totals[node] ?? 0;
  const isDirectory = isDirectoryAt(view, node);
  const type = fileTypes[packed.types[version] ?? 0] ?? 'file';
  const twist = hasChildren(view, node) ? (isOpen(state, node) ? '▾' : '▸') : ' ';
  const target = links.get(version);
  const name = `${'  '.repeat(Math.min((packed.depths[node] ?? 1) - 1, deepestIndent))}${twist} ${shownText(packed.names[node] ?? '')}${isDirectory ? '/' : ''}${target === undefined ? '' : ` -> ${shownText(target)}`}`;
  const size = type === 'file' || isDirectory ? formatBytes(total) : '';
  const isWide = columns >= 70;
  const facts = isWide
    ? `${bar(whole === 0 ? 0 : total / whole)} ${formatMode({ type, mode: packed.modes[version] ?? 0 })} ${fitRight(String(originOf(view, node) + 1), 3)}`
    : '';
  const left = `${isChosen ? '>' : ' '}${markSigns[view.marks[node] ?? 0] ?? ' '} `;
  const room = columns - left.length - 8 - (isWide ? facts.length + 1 : 0);
  return fit(`${left}${fit(name, room)}${fitRight(size, 8)}${isWide ? ` ${facts}` : ''}`, columns);
}

/** A share as a bar, without colours as well. */
function bar(share: number): string {
  const filled = Math.min(barWidth, Math.round(share * barWidth));
  return `${'█'.repeat(filled)}${' '.repeat(barWidth - filled)}`;
}
