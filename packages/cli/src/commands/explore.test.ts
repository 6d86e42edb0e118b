import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { createLayout } from '@ocijs/image';
import { nextLayers, sampleLayers, writeTestImage } from '../explore/testing/images.testkit.ts';
import { until } from '../testing/containers.testkit.ts';
import { ociProgram, type TestHome, testHome } from '../testing/oci.testkit.ts';

const hasScript = spawnSync('script', ['--version']).status === 0;

describe('oci explore', { timeout: 300_000 }, () => {
  let home: TestHome;
  let one: string;
  let two: string;

  before(async () => {
    home = await testHome();
    const layout = join(home.directory, 'layout');
    await using store = await createLayout(layout);
    await writeTestImage(store, 'one', { layers: sampleLayers, config: { Env: ['A=1'] } });
    await writeTestImage(store, 'two', { layers: nextLayers });
    [one, two] = [`oci:${layout}:one`, `oci:${layout}:two`];
  });
  after(() => home?.[Symbol.asyncDispose]());

  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    test(`serves the page and ends with success on ${signal}`, async () => {
      const child = home.start('explore', '--no-open', '--progress', 'none', one, two);
      const ended = once(child, 'close');
      let output = '';
      child.stdout?.on('data', (data) => {
        output += data;
      });
      await until(() => output.includes('\n'));
      const [, url = ''] = /^one and two: (http:\/\/127\.0\.0\.1:\d+\/[\w-]+\/)\n$/.exec(output) ?? [];
      const response = await fetch(url);
      assert.match(await response.text(), /<title>oci explore<\/title>/);
      child.kill(signal);
      const [status] = await ended;
      assert.equal(status, 0);
      await assert.rejects(fetch(url));
    });
  }

  test('--quiet prints the address alone', async () => {
    const child = home.start('explore', '--quiet', '--no-open', one);
    const ended = once(child, 'close');
    let output = '';
    child.stdout?.on('data', (data) => {
      output += data;
    });
    await until(() => output.includes('\n'));
    child.kill('SIGTERM');
    assert.equal((await ended)[0], 0);
    assert.match(output, /^http:\/\/127\.0\.0\.1:\d+\/[\w-]+\/\n$/);
  });

  test('--open gives the browser an address that works once', async () => {
    const { chmod, mkdir, writeFile } = await import('node:fs/promises');
    const bin = join(home.directory, 'bin');
    const told = join(home.directory, 'told');
    await mkdir(bin);
    await writeFile(
      join(bin, 'xdg-open'),
      `#!/bin/sh\necho "$1" > '${told}.tmp' && mv '${told}.tmp' '${told}'\n`,
    );
    await chmod(join(bin, 'xdg-open'), 0o755);
    const child = spawn(process.execPath, [ociProgram, 'explore', '--open', one], {
      env: { ...home.env, PATH: `${bin}:${process.env['PATH']}` },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const ended = once(child, 'close');
    let output = '';
    child.stdout.on('data', (data) => {
      output += data;
    });
    const readTold = (): Promise<string> => readFile(told, 'utf8').catch(() => '');
    await until(async () => output.includes('\n') && (await readTold()) !== '');
    const opened = (await readTold()).trim();
    assert.match(opened, /^http:\/\/127\.0\.0\.1:\d+\/open\/[\w-]+$/);
    assert.match(await (await fetch(opened)).text(), /<title>oci explore<\/title>/);
    assert.equal((await fetch(opened)).status, 404);
    child.kill('SIGTERM');
    await ended;
  });

  test('--export writes one file that needs nothing else, or standard output', async () => {
    const file = join(home.directory, 'report.html');
    const { status, stdout, stderr } = await home.oci('explore', one, '--export', file);
    assert.equal(status, 0, stderr);
    assert.equal(stdout, '');
    const html = await readFile(file, 'utf8');
    assert.match(html, /^<!doctype html>/);
    assert.doesNotMatch(html, /(src|href)="?(https?:)?\/\//);
    const piped = await home.oci('explore', one, '--export', '-', '--quiet');
    assert.equal(piped.stdout, html, 'the same image gives the same file');
  });

  test('--json prints the analysis', async () => {
    const { status, stdout } = await home.oci('explore', '--json', one, two);
    assert.equal(status, 0);
    const { images, comparison } = JSON.parse(stdout);
    assert.equal(images.length, 2);
    const [image] = images;
    assert.equal(image.wastedBytes, 3020);
    assert.equal(image.duplicateBytes, 5000);
    assert.deepEqual(
      image.layers.map(({ layer, added, changed, removed }: Record<string, number>) => [
        layer,
        added,
        changed,
        removed,
      ]),
      [
        [1, 11, 0, 0],
        [2, 1, 1, 2],
        [3, 2, 0, 0],
      ],
    );
    assert.deepEqual(image.layers[1].changes.slice(0, 2), [
      { kind: 'changed', path: '/etc/hosts', type: 'file', size: 15, differences: ['content'] },
      { kind: 'added', path: '/usr/bin/copy', type: 'file', size: 5000 },
    ]);
    assert.deepEqual(image.wasted[0], {
      path: '/var/cache/index',
      bytes: 3000,
      layers: [1],
      fate: 'removed',
    });
    assert.deepEqual(image.duplicates[0].paths, ['/usr/bin/copy', '/usr/bin/tool']);
    assert.deepEqual(
      comparison.files.map(({ kind, path }: Record<string, string>) => `${kind} ${path}`),
      ['changed /app/main.js', 'added /app/new.js'],
    );
    assert.ok(comparison.config.some(({ field }: { field: string }) => field === 'config.Env'));
  });

  test('what cannot be is refused', async () => {
    const noTerminal = await home.oci('explore', '--tty', one);
    assert.equal(noTerminal.status, 2);
    assert.match(noTerminal.stderr, /--tty needs a terminal/);
    assert.equal((await home.oci('explore', '--json', '--export', 'x', one)).status, 2);
    assert.equal((await home.oci('explore', one, two, one)).status, 2);
    assert.equal((await home.oci('explore', `${one}-missing`)).status, 1);
  });

  describe('--tty on a real terminal', { skip: !hasScript && 'needs script' }, () => {
    /** Runs it in a pseudo-terminal of 30 lines; says afterwards how the terminal was left. */
    function start({ env = {}, before: command = '' } = {}) {
      const line = [process.execPath, ociProgram, 'explore', '--tty', one]
        .map((word) => `'${word}'`)
        .join(' ');
      const shell = `stty rows 30 cols 100; ${command} ${line}; echo "code-$?"; stty -a | tr ';' '\\n' | grep -E -w '(-?icanon|-?echo)'`;
      const child = spawn(
        'script',
        ['-qec', `sh -c "${shell.replaceAll('"', '\\"').replaceAll('$', '\\$')}"`, '/dev/null'],
        {
          env: { ...home.env, TERM: 'xterm-256color', CI: '', NO_COLOR: '', ...env },
          stdio: 'pipe',
        },
      );
      const seen = { output: '' };
      child.stdout.on('data', (data) => {
        seen.output += data;
      });
      const ended = once(child, 'close');
      /** A test that fails must not leave a program that waits for keys. */
      const end = async (): Promise<void> => {
        child.stdin.end();
        child.kill();
        await ended;
      };
      return { child, seen, ended, [Symbol.asyncDispose]: end };
    }
    const entered = '\u001b[?1049h';
    const left = '\u001b[?1049l';

    /** Asserts that the main screen, the cursor and the modes of the terminal are back. */
    function assertRestored(output: string, code: number): void {
      const rest = output.slice(output.lastIndexOf(left));
      assert.ok(output.includes(entered) && output.lastIndexOf(left) > output.lastIndexOf(entered), output);
      assert.ok(output.lastIndexOf('\u001b[?25h') > output.lastIndexOf('\u001b[?25l'), 'the cursor is back');
      assert.ok(output.lastIndexOf('\u001b[?7h') > output.lastIndexOf('\u001b[?7l'), 'long lines wrap again');
      assert.match(rest, new RegExp(`code-${code}\\b`));
      assert.doesNotMatch(rest, /-icanon|-echo\b/);
    }

    test('keys move through the image, and q leaves everything as it was', async () => {
      await using terminal = start();
      const { child, seen, ended } = terminal;
      await until(() => seen.output.includes('q quit'));
      assert.match(seen.output, /layer 3\/3/);
      assert.ok(!seen.output.includes('\u001b[K'), 'which would erase the last character of a full line');
      child.stdin.write('[');
      await until(() => seen.output.includes('layer 2/3'));
      child.stdin.write('/hosts\r');
      await until(() => /~ .*hosts/.test(seen.output));
      child.stdin.write('3');
      await until(() => seen.output.includes('Wasted: bytes'));
      child.stdin.write('q');
      await ended;
      assertRestored(seen.output, 0);
    });

    test('Ctrl-C leaves everything as it was', async () => {
      await using terminal = start();
      const { child, seen, ended } = terminal;
      await until(() => seen.output.includes('q quit'));
      child.stdin.write('\u0003');
      await ended;
      assertRestored(seen.output, 0);
    });

    test('a signal from outside leaves everything as it was', async () => {
      const pid = join(home.directory, 'pid');
      await using terminal = start({ before: `sh -c 'echo $$ > ${pid}; exec "$@"' sh` });
      const { seen, ended } = terminal;
      await until(() => seen.output.includes('q quit'));
      process.kill(Number(await readFile(pid, 'utf8')), 'SIGTERM');
      await ended;
      assertRestored(seen.output, 0);
    });

    test('NO_COLOR leaves marks and the cursor, and no colour', async () => {
      await using terminal = start({ env: { NO_COLOR: '1' } });
      const { child, seen, ended } = terminal;
      await until(() => seen.output.includes('q quit'));
      child.stdin.write('[');
      await until(() => seen.output.includes('layer 2/3'));
      child.stdin.write('c/hosts\r');
      await until(() => / {2}hosts/.test(seen.output));
      child.stdin.write('q');
      await ended;
      const escapeCharacter = String.fromCharCode(27);
      assert.doesNotMatch(seen.output, new RegExp(`${escapeCharacter}\\[(3|4|9|10)\\d`));
      assertRestored(seen.output, 0);
    });
  });
});
