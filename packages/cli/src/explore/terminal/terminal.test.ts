import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Report } from '../model/report.ts';
import { nextLayers, reportOf, sampleLayers } from '../testing/images.testkit.ts';
import { fit, textWidth } from './cells.ts';
import { drawScreen, footLines, headLines, pageLines } from './draw.ts';
import { keysOf } from './keys.ts';
import { createPaint } from './paint.ts';
import { type ExploreState, firstState } from './state.ts';
import { scrolled, update } from './update.ts';

const paint = createPaint({ colours: false });

describe('the terminal version', () => {
  let directory: string;
  let one: Report;
  let two: Report;
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'oci-explore-terminal-'));
    const config = { Cmd: ['run'], Env: ['A=1'] };
    one = await reportOf(join(directory, 'one'), { 'shop:1': { layers: sampleLayers, config } });
    two = await reportOf(join(directory, 'two'), {
      'shop:1': { layers: sampleLayers, config },
      'shop:2': { layers: nextLayers, config: { ...config, Env: ['A=2'] } },
    });
  });
  after(() => rm(directory, { recursive: true, force: true }));

  /** The screen after some keys, without spaces at the ends and the lines that only fill. */
  function screenAfter(report: Report, keys: readonly string[], size = { columns: 80, rows: 24 }): string[] {
    const screen = { ...size, paint };
    const height = size.rows - headLines - footLines;
    let state: ExploreState = firstState(report);
    for (const key of keys) {
      const { columns } = size;
      const next = update(state, key, { height, columns, lines: pageLines(state, screen).length });
      assert.ok(next, key);
      state = scrolled(next, { height, columns, lines: pageLines(next, screen).length });
    }
    const lines = drawScreen(state, screen);
    assert.equal(lines.length, size.rows);
    return lines.map((line) => line.replaceAll(/\S\[\d+m/g, '').trimEnd());
  }
  const names = (lines: readonly string[]): string[] =>
    lines.slice(headLines, -footLines).flatMap((line) => {
      const words = line.trim().split(/\s+/);
      return line === '' ? [] : [words.filter((word) => /\p{L}/u.test(word))[0] ?? ''];
    });

  test('shows the layer, and files with marks that need no colour', () => {
    const lines = screenAfter(one, ['[']);
    assert.match(lines[0] ?? '', /^shop:1/);
    assert.match(lines[2] ?? '', /^layer 2\/3 {2}5\.01kB {2}\+1 ~1 -2 {2}RUN make && rm -r \/var\/cache/);
    assert.deepEqual(names(screenAfter(one, ['[', 'r'])), ['var/', 'cache/']);
    assert.match(screenAfter(one, ['[', 'r']).find((line) => line.includes('cache/')) ?? '', /^ - .*cache\//);
  });

  test('directories open and close, the cursor goes to what is above', () => {
    const opened = screenAfter(one, ['end', 'up', 'right', 'right', 'right']);
    assert.deepEqual(names(opened), [
      'app/',
      'bin',
      'etc/',
      'usr/',
      'bin/',
      'copy',
      'tool',
      'tool-link',
      'var/',
    ]);
    assert.match(opened.find((line) => line.startsWith('>')) ?? '', /bin\//);
    assert.deepEqual(names(screenAfter(one, ['end', 'up', 'enter', 'down', 'left', 'left'])), [
      'app/',
      'bin',
      'etc/',
      'usr/',
      'var/',
    ]);
  });

  test('finds, filters, sorts', () => {
    const found = screenAfter(one, ['/', ...'HOSTS', 'enter']);
    assert.deepEqual(names(found), ['etc/', 'hosts']);
    assert.match(found.at(-2) ?? '', /^\/HOSTS/);
    const file = screenAfter(one, ['/', ...'HOSTS', 'enter', 'down']).at(-3);
    assert.equal(file, '/etc/hosts  +1 ~2 content', 'what the layers did to it');
    assert.deepEqual(names(screenAfter(one, ['/', 'x', 'backspace', 'escape'])).length, 5);
    assert.deepEqual(names(screenAfter(one, ['a'])), ['app/']);
    assert.equal(names(screenAfter(one, ['s']))[0], 'usr/');
  });

  test('space, history, configuration and help', () => {
    assert.match(screenAfter(one, ['3']).join('\n'), /3kB - {4}1 \/var\/cache\/index/);
    assert.match(
      screenAfter(one, ['3']).join('\n'),
      /2 copies of 5kB\n.*\/usr\/bin\/copy\n.*\/usr\/bin\/tool/,
    );
    assert.match(screenAfter(one, ['4']).join('\n'), / {2}2 +5\.01kB .*RUN make && rm/);
    assert.match(screenAfter(one, ['5']).join('\n'), /Command +\["run"\]/);
    assert.match(screenAfter(one, ['?']).join('\n'), /quit/);
    assert.deepEqual(screenAfter(one, ['?', 'x']), screenAfter(one, []));
  });

  test('two images: the differences first, then each', () => {
    const lines = screenAfter(two, []);
    assert.match(lines[0] ?? '', /^shop:1 → shop:2/);
    assert.deepEqual(names(lines), ['app/', 'main.js', 'new.js']);
    assert.match(screenAfter(two, ['5']).join('\n'), /config\.Env\n- A=1\n\+ A=2/);
    assert.match(screenAfter(two, ['i'])[0] ?? '', /^shop:1$/);
    assert.match(screenAfter(two, ['i', 'i', 'i'])[0] ?? '', /→/);
  });

  test('fits any size', () => {
    for (const columns of [1, 7, 20, 40, 69, 70, 200])
      for (const rows of [1, 5, 7, 50])
        for (const tab of ['1', '2', '3', '4', '5', '?']) {
          const lines = screenAfter(one, [tab, 'end'], { columns, rows });
          for (const line of lines) assert.ok(textWidth(line) <= columns, `${columns}: ${line}`);
        }
  });

  test('q and Ctrl-C end it, q is a letter while something is looked for', () => {
    const state = firstState(one);
    const options = { height: 10, columns: 80, lines: 10 };
    assert.equal(update(state, 'q', options), undefined);
    assert.equal(update(state, 'ctrl-c', options), undefined);
    const typing = update(state, '/', options);
    assert.ok(typing);
    assert.equal(update(typing, 'q', options)?.query, 'q');
    assert.equal(update(typing, 'ctrl-c', options), undefined);
  });
});

test('keys are read from what a terminal sends', () => {
  assert.deepEqual(keysOf('\u001b[A\u001bOBq/é\r\u007f\u0003'), [
    'up',
    'down',
    'q',
    '/',
    'é',
    'enter',
    'backspace',
    'ctrl-c',
  ]);
  assert.deepEqual(keysOf('\u001b'), ['escape']);
  assert.deepEqual(keysOf('\u001b[5~\u001b[1;5A\u0001x😀'), ['page-up', 'x', '😀']);
});

test('texts are cut by the columns they take', () => {
  assert.equal(fit('abcdef', 4), 'abc…');
  assert.equal(fit('ab', 4), 'ab  ');
  assert.equal(fit('日本語', 4), '日… ');
  assert.equal(textWidth(fit('日本語', 5)), 5);
  assert.equal(textWidth('e\u0301'), 1);
});
