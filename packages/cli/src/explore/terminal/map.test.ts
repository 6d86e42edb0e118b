import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { viewLayer } from '../model/view.ts';
import { reportOf } from '../testing/images.testkit.ts';
import { textWidth } from './cells.ts';
import { drawScreen, footLines, headLines } from './draw.ts';
import { layoutMap } from './map-layout.ts';
import { createPaint } from './paint.ts';
import { type ExploreState, firstState } from './state.ts';
import { update } from './update.ts';

const file = (name: string, size: number) => ({
  header: { name, type: 'file' as const, mode: 0o644, size },
  body: Buffer.alloc(size),
});

describe('the map in the terminal', () => {
  let directory: string;
  let start: ExploreState;
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'oci-explore-map-'));
    const small = Array.from({ length: 40 }, (_, index) => file(`usr/small/${index}`, 10 + index));
    const layers = [
      ['FROM base', [file('usr/big', 60_000), file('usr/half', 30_000), ...small, file('empty', 0)]],
      ['COPY', [file('日本/データ', 8_000), file('etc/a', 2_000)]],
    ] as const;
    start = firstState(await reportOf(directory, { 'app:1': { layers } }));
  });
  after(() => rm(directory, { recursive: true, force: true }));

  const press = (keys: readonly string[], { columns, rows } = { columns: 80, rows: 24 }): ExploreState =>
    keys.reduce((state, key) => {
      const next = update(state, key, { columns, height: rows - headLines - footLines, lines: 0 });
      assert.ok(next, key);
      return next;
    }, start);
  const shown = (keys: readonly string[], size = { columns: 80, rows: 24 }): string =>
    drawScreen(press(keys, size), { ...size, paint: createPaint({ colours: false }) }).join('\n');

  test('covers the area once, whatever its size', () => {
    const subject = start.subjects[0];
    assert.ok(subject);
    const view = viewLayer(subject.tree, 1);
    for (const top of [0, ...view.totals.keys()])
      for (const [columns, lines] of [
        [80, 17],
        [31, 4],
        [5, 5],
        [2, 1],
        [1, 1],
      ] as const) {
        const cells = new Set<number>();
        const boxes = layoutMap(view, top, { columns, lines });
        for (const { x, y, width, height } of boxes)
          for (let line = y; line < y + height; line++)
            for (let column = x; column < x + width; column++) {
              assert.ok(column < columns && line < lines);
              assert.ok(!cells.has(line * columns + column), 'no two boxes on one cell');
              cells.add(line * columns + column);
            }
        assert.ok(boxes.length === 0 || cells.size === columns * lines, 'nothing is left empty');
      }
  });

  test('is in proportion to the bytes, and says what is chosen in words', () => {
    const screen = shown(['2']);
    assert.match(screen, /│>usr\/ +│/);
    assert.match(screen, /│91.2kB {2}90% +│/);
    assert.match(screen, /^usr\/ {2}91.2kB {2}\/usr {2}\+1/m);
    assert.match(screen, /^map of \/ {2}101kB +1\/3$/m);
    assert.doesNotMatch(screen, /empty/, 'what has no bytes has no area');
  });

  test('goes to neighbours, into directories and out of them', () => {
    assert.match(shown(['2', 'right']), />\+ 日…/);
    assert.match(shown(['2', 'right', 'down']), />\+ etc?…/);
    assert.match(shown(['2', 'right', 'down', 'left']), />usr\//);
    const inside = shown(['2', 'enter']);
    assert.match(inside, /map of \/usr /);
    assert.match(inside, />big/);
    assert.match(shown(['2', 'enter', 'end', 'enter']), /map of \/usr\/small/);
    const many = shown(['2', 'enter', 'end', 'enter', 'end'], { columns: 40, rows: 14 });
    assert.match(many, /^39 more {2}1\.\d+kB/m, 'for which there is no room');
    assert.match(shown(['2', 'enter', 'end', 'enter', 'backspace']), />small\//);
    assert.match(shown(['2', 'enter', 'escape', 'escape']), /map of \/ /);
    assert.match(shown(['2', 'enter', 'enter']), /map of \/usr /, 'a file has no inside');
    assert.match(shown(['2', 'right', '[']), /map of \/ {2}91.2kB +1\/1/, 'of the layer below');
  });

  test('fits any size', () => {
    for (const columns of [1, 2, 7, 8, 20, 40, 80, 200])
      for (const rows of [1, 7, 8, 9, 10, 24, 60])
        for (const keys of [['2'], ['2', 'right'], ['2', 'enter', 'end', 'enter']]) {
          const lines = shown(keys, { columns, rows }).split('\n');
          assert.equal(lines.length, rows);
          for (const line of lines)
            assert.ok(textWidth(line.replaceAll(/\S\[\d+m/g, '')) <= columns, `${columns}: ${line}`);
        }
  });
});
