import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import axe from 'axe-core';
import type { Report } from './model/report.ts';
import { type OpenPage, skipBrowser, type TestBrowser, testBrowser } from './testing/browser.testkit.ts';
import { largeReport, nextLayers, reportOf, sampleLayers } from './testing/images.testkit.ts';

const text = (selector: string): string =>
  `document.querySelector(${JSON.stringify(selector)})?.innerText ?? ''`;
const click = (selector: string): string => `document.querySelector(${JSON.stringify(selector)}).click()`;
/** The names in the rows in sight. */
const names = `[...document.querySelectorAll('[data-node] .cell-name > bdi')].map((e) => e.innerText)`;
/** The name in the row that the tree says is active. */
const active = `document.getElementById(document.querySelector('[role=treegrid]').getAttribute('aria-activedescendant'))?.querySelector('bdi').innerText`;

describe('the page of explore', { skip: skipBrowser, timeout: 600_000 }, () => {
  let directory: string;
  let browser: TestBrowser;
  let one: Report;
  let two: Report;

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'oci-explore-'));
    const config = { Env: ['A=1'], Cmd: ['/app/main.js'], Labels: { team: 'blue' } };
    one = await reportOf(join(directory, 'one'), { 'shop:1': { layers: sampleLayers, config } });
    two = await reportOf(join(directory, 'two'), {
      'shop:1': { layers: sampleLayers, config },
      'shop:2': { layers: nextLayers, config: { ...config, Env: ['A=2'] } },
    });
    browser = await testBrowser();
  });
  after(async () => {
    await browser?.[Symbol.asyncDispose]();
    await rm(directory, { recursive: true, force: true });
  });

  test('shows figures, layers and the files with marks, and asks for nothing else', async () => {
    await using opened = await browser.open(one);
    const { ask } = opened;
    assert.equal(await ask('document.title'), 'shop:1 · oci explore');
    assert.match(await ask(text('.summary')), /Download[\s\S]*3.layers[\s\S]*Wasted[\s\S]*3\.02.kB/);
    assert.deepEqual(await ask(`[...document.querySelectorAll('.layer-command')].map((e) => e.innerText)`), [
      'COPY app /app',
      'RUN make && rm -r /var/cache',
      'ADD rootfs.tar /',
    ]);
    assert.deepEqual(await ask(names), ['app/', 'bin', 'etc/', 'usr/', 'var/']);
    await ask(click('.layers li:nth-child(2) button'));
    await ask(`[...document.querySelectorAll('.mark-filters button')][2].click()`);
    assert.deepEqual(await ask(names), ['var/', 'cache/']);
    assert.deepEqual(opened.complaints, []);
  });

  test('everything is reached and done with the keyboard', async () => {
    await using opened = await browser.open(one);
    const { page, ask } = opened;
    const focused = async (): Promise<string> =>
      ask(`document.activeElement.id || document.activeElement.className || document.activeElement.tagName`);
    const stops: string[] = [];
    for (let count = 0; count < 12; count++) {
      await page.keyboard.press('Tab');
      stops.push(
        await ask(
          `(document.activeElement.getAttribute('aria-label') ?? document.activeElement.innerText).split('\\n')[0]`,
        ),
      );
    }
    for (const stop of ['Files', 'Find files', 'Files', 'Name', 'Size'])
      assert.ok(stops.includes(stop), stop);
    // From the layers, down the stack.
    await page.focus('.layers [aria-current]');
    await page.keyboard.press('ArrowDown');
    assert.match(await ask(text('.files-heading')), /layer 2 of 3/);
    // The tree: open usr and usr/bin, go to what is in it and back.
    await page.focus('[role=treegrid]');
    await page.keyboard.press('End');
    await page.keyboard.press('ArrowUp');
    assert.equal(await ask(active), 'usr/');
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowRight');
    assert.equal(await ask(active), 'bin/');
    await page.keyboard.press('Enter');
    await page.keyboard.press('ArrowDown');
    assert.equal(await ask(active), 'copy');
    assert.match(
      await ask(text('.details')),
      /\/usr\/bin\/copy[\s\S]*added · 5.kB[\s\S]*Same content[\s\S]*tool/,
    );
    await page.keyboard.press('ArrowLeft');
    await page.keyboard.press('ArrowLeft');
    assert.equal(await ask(`document.querySelector('[aria-expanded=true] bdi').innerText`), 'usr/');
    // The search, from anywhere.
    await page.keyboard.press('/');
    await page.keyboard.type('HOSTS');
    assert.deepEqual(await ask(names), ['etc/', 'hosts']);
    assert.match(await ask(text('[role=status]')), /1.name found/);
    await page.keyboard.press('Escape');
    assert.deepEqual(await ask(`document.querySelector('input').value`), '');
    // The tabs: arrows go round all of them.
    await page.focus('#tab-files');
    for (const tab of ['map', 'space', 'history', 'config']) {
      await page.keyboard.press('ArrowRight');
      assert.equal(await focused(), `tab-${tab}`);
      assert.equal(await ask(`document.querySelector('[aria-selected=true]').id`), `tab-${tab}`);
    }
    assert.deepEqual(opened.complaints, []);
  });

  test('the map can be walked: arrows, Enter and Escape', async () => {
    await using opened = await browser.open(one);
    const { page, ask, until } = opened;
    await ask(click('#tab-map'));
    await until(`document.querySelectorAll('.tile').length > 3`);
    await page.focus('.tile[tabindex="0"]');
    const label = `document.activeElement.textContent`;
    for (const key of ['ArrowRight', 'ArrowDown', 'ArrowLeft', 'ArrowUp', 'ArrowRight'] as const)
      await page.keyboard.press(key);
    assert.match(await ask(label), /, \d.*B, .*%, layer \d/);
    await ask(
      `[...document.querySelectorAll('.tile')].find((e) => e.textContent.startsWith('usr/')).focus()`,
    );
    await page.keyboard.press('Enter');
    await until(`document.querySelector('.trail [aria-current]').innerText === 'usr'`);
    await page.focus('.tile[tabindex="0"]');
    await page.keyboard.press('Escape');
    await until(`document.querySelector('.trail [aria-current]').innerText === '/'`);
    // Areas are in proportion to the bytes: nothing is drawn beside or above something else's frame.
    const outside = await ask(`(() => {
      const area = document.querySelector('.map-area').getBoundingClientRect();
      return [...document.querySelectorAll('.tile')].map((e) => e.getBoundingClientRect())
        .filter((r) => r.left < area.left - 1 || r.right > area.right + 1 || r.top < area.top - 1 || r.bottom > area.bottom + 1).length;
    })()`);
    assert.equal(outside, 0);
    assert.deepEqual(opened.complaints, []);
  });

  test('two images are compared, and each can be looked at', async () => {
    await using opened = await browser.open(two);
    const { ask } = opened;
    assert.deepEqual(await ask(names), ['app/', 'main.js', 'new.js']);
    assert.match(await ask(text('.layers')), /2 in common, 1 new/);
    await ask(click('#tab-config'));
    assert.match(await ask(text('.fields')), /config\.Env\s+A=1\s+A=2/);
    await ask(click('.header-tools .choice button:nth-of-type(3)'));
    assert.match(await ask(text('h1')), /shop:2/);
    assert.equal(await ask(`document.querySelectorAll('.layers button').length`), 3);
    assert.deepEqual(opened.complaints, []);
  });

  for (const theme of ['light', 'dark'] as const) {
    test(`axe finds nothing to object to, ${theme}`, async () => {
      for (const [report, tabs] of [
        [one, ['files', 'map', 'space', 'history', 'config']],
        [two, ['files', 'map', 'config']],
      ] as const) {
        await using opened = await browser.open(report, { theme });
        await opened.ask(axe.source);
        for (const tab of tabs) {
          await opened.ask(click(`#tab-${tab}`));
          if (tab === 'files') await opened.ask(click('[data-node]'));
          if (tab === 'map') await opened.until(`document.querySelectorAll('.tile').length > 0`);
          assert.deepEqual(await violations(opened), [], tab);
        }
      }
    });
  }

  test('the colours can be chosen', async () => {
    await using opened = await browser.open(one, { theme: 'light' });
    const { ask, until } = opened;
    const ground = `getComputedStyle(document.body).backgroundColor`;
    const light = await ask(ground);
    const theme = (name: string): string => `document.documentElement.dataset.theme === '${name}'`;
    await ask(click('.icon-button'));
    await until(theme('light'));
    assert.equal(await ask(ground), light);
    await ask(click('.icon-button'));
    await until(theme('dark'));
    assert.notEqual(await ask(ground), light);
    assert.match(await ask(`document.querySelector('.icon-button').getAttribute('aria-label')`), /Dark/);
  });

  test('a narrow screen scrolls in one direction, and nothing is out of reach', async () => {
    for (const report of [one, two]) {
      await using opened = await browser.open(report, { width: 360 });
      for (const tab of ['files', 'map', 'config']) {
        await opened.ask(click(`#tab-${tab}`));
        assert.ok(await opened.ask(`document.documentElement.scrollWidth <= innerWidth`), tab);
        assert.ok(
          await opened.ask(`document.querySelector('.content').getBoundingClientRect().height >= 300`),
        );
      }
    }
  });

  test('100,000 files: only rows in sight are in the page, and search and keys reach the rest', async (t) => {
    await using opened = await browser.open(largeReport(one, 100_000));
    const { page, ask } = opened;
    const rows = `document.querySelectorAll('[data-node]').length`;
    const timed = async (what: string, expression: string): Promise<void> => {
      const took = await ask<number>(`(async () => {
        const start = performance.now();
        ${expression};
        await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
        return performance.now() - start;
      })()`);
      t.diagnostic(`${what}: ${took.toFixed(0)} ms`);
    };
    const type = (query: string): string => `
      const input = document.querySelector('input');
      input.value = ${JSON.stringify(query)};
      input.dispatchEvent(new InputEvent('input', { bubbles: true }))`;
    await timed('search with many hits', type('file'));
    await opened.until(`/99,9\\d\\d.names found/.test(${text('[role=status]')})`);
    assert.ok((await ask<number>(rows)) < 100);
    assert.equal(
      await ask(`document.querySelector('[role=treegrid]').getAttribute('aria-rowcount')`),
      '100001',
    );
    await page.focus('[role=treegrid]');
    await page.keyboard.press('End');
    await opened.until(`${active} === 'file-99-899.txt'`);
    assert.ok((await ask<number>(rows)) < 100);
    await timed('search with one hit', type('file-42-7.txt'));
    await opened.until(`${names}.length === 2`);
    assert.deepEqual(await ask(names), ['directory-42/', 'file-42-7.txt']);
    await timed('sort', click('.row-head .cell-size button'));
    await timed('map', click('#tab-map'));
    await opened.until(`document.querySelectorAll('.tile').length > 50`);
    assert.ok((await ask<number>(`document.querySelectorAll('.tile').length`)) < 5000);
    assert.deepEqual(opened.complaints, []);
  });
});

/** What axe objects to: the rule, and where. */
async function violations({ ask }: OpenPage): Promise<readonly string[]> {
  const found = await ask<{ id: string; nodes: { html: string; failureSummary: string }[] }[]>(
    `axe.run().then(({ violations }) => violations)`,
  );
  return found.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html}\n${failureSummary}`),
  );
}
