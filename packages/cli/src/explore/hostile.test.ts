import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Report } from './model/report.ts';
import { renderPage } from './report/page.ts';
import { drawScreen } from './terminal/draw.ts';
import { createPaint } from './terminal/paint.ts';
import { type ExploreState, firstState, tabs } from './terminal/state.ts';
import { update } from './terminal/update.ts';
import { skipBrowser, type TestBrowser, testBrowser } from './testing/browser.testkit.ts';
import { entry, file, reportOf, type TestLayers } from './testing/images.testkit.ts';

/** An image that says the text wherever an image can say something. */
function everywhere(text: string): { readonly layers: TestLayers; readonly config: object } {
  const name = text.replaceAll('/', '\u2215');
  const layers: TestLayers = [
    [
      text,
      [
        entry(`${name}/`, 'directory'),
        file(`${name}/${name}`, 'content'),
        file(`copy ${name}`, 'content'),
        entry(`link ${name}`, 'symlink', text),
        file(`gone ${name}`, 'x'.repeat(100), {
          xattrs: new Map([[`user.${name.replaceAll('=', ':')}`, Buffer.from(text)]]),
        }),
      ],
    ],
    [`RUN ${text}`, [file(`.wh.gone ${name}`), file(`${name}/${name}`, 'changed')]],
  ];
  const config = {
    User: text,
    Env: [`${text}=${text}`],
    Cmd: [text],
    WorkingDir: `/${text}`,
    Labels: { [text]: text, __proto__x: text },
    ExposedPorts: { [text]: {} },
  };
  return { layers, config };
}

/** The sequences that the program itself may write into a line. */
const ownColours = new RegExp(`${String.fromCharCode(27)}\\[(?:1|2|7|2[27]|3[1-6]|39)m`, 'g');

let directory: string;
let count = 0;
before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'oci-explore-hostile-'));
});
after(() => rm(directory, { recursive: true, force: true }));

async function hostileReport(text: string): Promise<Report> {
  const report = await reportOf(join(directory, String(count++)), {
    'image:1': everywhere(text),
    'image:2': everywhere(`${text} 2`),
  });
  // A store has no such names; an archive may.
  const images = report.images.map((image) => ({ ...image, name: `${image.name} ${text}`, author: text }));
  return { ...report, images };
}

/** Text, and where it would do harm if it were anything but text. */
const injections: Readonly<Record<string, string>> = {
  'an element with a script': `<img src=x onerror="document.title='hacked'">`,
  'the end of the script that holds the data': `</script><script>document.title='hacked'</script>`,
  'the beginning of a comment in a script': `<!--<script>document.title='hacked'`,
  'the end of an attribute': `" onmouseover="document.title='hacked'" autofocus onfocus='document.title="hacked"'`,
  'the end of a style': `</style><style>body{display:none}</style>`,
  'a style in an attribute': `red;background:url(http://attacker.example/)`,
  'an address that is a script': `javascript:document.title='hacked'`,
  'the place where the report belongs': '@REPORT@ $& $` @POLICY@',
  'the end of a string of JavaScript': `\\';document.title='hacked'//\u2028`,
  'a name that objects have': '__proto__',
  'an entity': '&lt;b&gt;&#x202e;',
};

describe('hostile images in the page', { skip: skipBrowser, timeout: 600_000 }, () => {
  let browser: TestBrowser;
  before(async () => {
    browser = await testBrowser();
  });
  after(() => browser?.[Symbol.asyncDispose]());

  for (const [what, text] of Object.entries(injections)) {
    test(`${what} is text`, async () => {
      const report = await hostileReport(text);
      const { html } = await renderPage(report);
      assert.ok(!html.includes(`hacked`), 'nothing of it is in the source of the page');
      await using opened = await browser.open(report);
      const { ask } = opened;
      const elements = `[...document.querySelectorAll('img, iframe, a, object, embed, form, [onmouseover], [onfocus], [onerror]')].length
        + document.querySelectorAll('style, script').length`;
      const before = await ask(elements);
      for (const subject of [1, 2, 3]) {
        await ask(`document.querySelectorAll('.header-tools .choice button')[${subject - 1}].click()`);
        for (const tab of ['files', 'map', 'space', 'history', 'config']) {
          await ask(`document.querySelector('#tab-${tab}')?.click()`);
          await ask(
            `document.querySelectorAll('[data-node] .twist:not(.is-none)').forEach((e) => e.click())`,
          );
          await ask(`[...document.querySelectorAll('[data-node]')].at(-1)?.click()`);
          assert.equal(await ask(elements), before, tab);
        }
      }
      assert.ok((await ask<string>('document.body.innerText')).includes(text.replace('\u2028', '\\u2028')));
      assert.match(await ask('document.title'), /^image:1 .* oci explore$/);
      assert.equal(await ask(`document.querySelectorAll('img, a, iframe').length`), 0);
      assert.deepEqual(opened.complaints, []);
    });
  }

  test('what would turn the direction of writing, or is invisible, is shown', async () => {
    const report = await hostileReport('invoice\u202egnp.\u200bexe\u0007');
    await using opened = await browser.open(report);
    await opened.ask(`document.querySelectorAll('.header-tools .choice button')[1].click()`);
    const shown = await opened.ask<string>('document.body.innerText');
    assert.ok(shown.includes('invoice\\u202egnp.\\u200bexe\\u0007'));
    for (const character of '\u202e\u200b\u0007') assert.ok(!shown.includes(character));
  });
});

describe('hostile images in the terminal', () => {
  const screens = {
    'a colour that stays': '\u001b[31mred',
    'the title of the window': '\u001b]0;hacked\u0007',
    'a cursor elsewhere': '\u001b[1;1Hhacked\u001b[2J',
    'the main screen': '\u001b[?1049lhacked',
    'keys that are sent back': '\u001b[6n\u001bP+q\u001b\\',
    'the control characters of eight bits': '\u009b31m\u0090q\u009c',
    'lines of its own': 'one\r\ntwo\u0085three\u2028four',
    'a direction that turns': 'a\u202eb\u2066c\u2069',
    'what deletes': 'abc\b\b\b\u007f',
  } as const;

  for (const [what, text] of Object.entries(screens)) {
    test(`${what} is text`, async () => {
      const report = await hostileReport(text);
      for (const colours of [true, false]) {
        const paint = createPaint({ colours });
        for (const size of [
          { columns: 120, rows: 60 },
          { columns: 33, rows: 12 },
        ]) {
          let state: ExploreState | undefined = firstState(report);
          const options = { height: 50, columns: 80, lines: 100 };
          for (const subject of state.subjects.keys()) {
            if (subject > 0) state = update(state, 'i', options) ?? state;
            for (const key of [
              '+',
              '+',
              '/',
              'c',
              'o',
              'p',
              'y',
              'enter',
              'escape',
              ...tabs.map((_, n) => String(n + 1)),
            ]) {
              state = update(state, key, options) ?? state;
              for (const line of drawScreen(state, { ...size, paint })) {
                const plain = line.replaceAll(ownColours, '');
                assert.doesNotMatch(plain, /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u, JSON.stringify(plain));
                assert.ok([...plain].length <= size.columns, plain);
              }
            }
          }
        }
      }
    });
  }
});

test('a name below many directories is in sight, on the page and in the terminal', {
  skip: skipBrowser,
}, async () => {
  await using browser = await testBrowser();
  const deep = Array.from({ length: 300 }, () => 'd').join('/');
  const report = await reportOf(join(directory, 'deep'), {
    image: { layers: [['ADD', [file(`${deep}/needle`, '1')]]] },
  });
  await using opened = await browser.open(report, { width: 360 });
  await opened.ask(`(() => {
    const input = document.querySelector('input');
    input.value = 'needle';
    input.dispatchEvent(new InputEvent('input', { bubbles: true }));
  })()`);
  await opened.page.focus('[role=treegrid]');
  await opened.page.keyboard.press('End');
  await opened.until(
    `[...document.querySelectorAll('[data-node] bdi')].some((e) => e.innerText === 'needle')`,
  );
  const visible = await opened.ask<number>(
    `[...document.querySelectorAll('[data-node] bdi')].find((e) => e.innerText === 'needle').getBoundingClientRect().width`,
  );
  assert.ok(visible > 20, `${visible} pixels`);
  const options = { height: 20, columns: 80, lines: 0 };
  let state: ExploreState | undefined = firstState(report);
  for (const key of ['/', ...'needle', 'enter', 'end']) state = state && update(state, key, options);
  assert.ok(state);
  const lines = drawScreen(state, { columns: 80, rows: 27, paint: createPaint({ colours: false }) });
  assert.ok(
    lines.some((line) => line.includes('  needle ')),
    lines.join('\n'),
  );
});
