import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { describe, test } from 'node:test';
import { openLayeredTree } from '@ocijs/bundle';
import { isOciError } from '@ocijs/image/errors';
import { writeFiles } from '../../testing/node-shop.ts';
import { parseManifest } from '../project/package-manifest.ts';
import { findStartCommand, type StartCommand } from './start-command.ts';

const files = {
  'server.js': '',
  'main.mjs': '',
  'lib/index.js': '',
  'dist/app.js': '',
  'node_modules/tool/cli.js': '#!/usr/bin/env node\n',
  'node_modules/tool/native': '#!/bin/sh\n',
};
const tool = parseManifest({ name: 'tool', bin: { tool: 'cli.js', native: 'native' } });

async function start(manifest: object, { left = [] as readonly string[] } = {}): Promise<StartCommand> {
  const directory = await mkdtemp(`${tmpdir()}/oci-start-`);
  try {
    await writeFiles(directory, files);
    using tree = openLayeredTree([directory], 'trusted');
    return findStartCommand({
      tree,
      directory: '.',
      manifest: parseManifest({ ...manifest }),
      installation: {
        packages: [{ directory: 'node_modules/tool', manifest: tool, origin: 'registry' }],
        links: new Map(),
        warnings: [],
      },
      isIncluded: (path) => !left.includes(path),
    });
  } finally {
    await rm(directory, { recursive: true });
  }
}

describe('what starts a project', () => {
  const cases: readonly (readonly [string, object, readonly string[], Readonly<Record<string, string>>?])[] =
    [
      ['a file for Node', { scripts: { start: 'node server.js' } }, ['server.js']],
      ['without its ending', { scripts: { start: 'node ./dist/app' } }, ['dist/app.js']],
      [
        'with flags and arguments',
        { scripts: { start: 'node --enable-source-maps -r ./server.js lib --port=3000 "a b"' } },
        ['--enable-source-maps', '-r', './server.js', 'lib/index.js', '--port=3000', 'a b'],
      ],
      ['with variables', { scripts: { start: "A=1 B='x y' node main" } }, ['main.mjs'], { A: '1', B: 'x y' }],
      [
        'a program of a dependency',
        { scripts: { start: 'tool serve' } },
        ['node_modules/tool/cli.js', 'serve'],
      ],
      ['the main file', { main: 'lib', bin: 'server.js' }, ['lib/index.js']],
      ['the only program', { name: '@a/b', bin: { b: './dist/app.js' } }, ['dist/app.js']],
      ['what npm starts by itself', {}, ['server.js']],
    ];
  for (const [what, manifest, words, environment = {}] of cases)
    test(what, async () => {
      assert.deepEqual(await start(manifest), { words, environment });
    });
});

describe('what is not clear, or not there', () => {
  const cases: readonly (readonly [string, object, RegExp])[] = [
    ['several commands', { scripts: { start: 'npm run build && node server.js' } }, /more than one command/],
    ['a variable of the shell', { scripts: { start: 'node $FILE' } }, /more than one command/],
    ['a quotation mark alone', { scripts: { start: 'node "server.js' } }, /more than one command/],
    ['nothing', { scripts: { start: ' ' } }, /more than one command/],
    ['no file', { scripts: { start: 'node --version' } }, /names no file/],
    ['a program that is for the shell', { scripts: { start: 'native' } }, /no production dependency/],
    ['a program of development', { scripts: { start: 'nodemon server.js' } }, /runs nodemon/],
    [
      'a file that is not built',
      { main: 'build/main.js' },
      /build\/main.js, which starts the project, is not there/,
    ],
    ['a file outside', { main: '../../etc/passwd' }, /is not there/],
  ];
  for (const [what, manifest, message] of cases)
    test(what, async () => {
      await assert.rejects(start(manifest), (error) => {
        assert.ok(isOciError(error, 'ERR_OCI_NODE_START_UNKNOWN'));
        assert.match(error.message, message);
        return true;
      });
    });

  test('a file that is excluded', async () => {
    await assert.rejects(start({ main: 'lib' }, { left: ['lib/index.js'] }), /lib, .* is excluded/);
  });
});
