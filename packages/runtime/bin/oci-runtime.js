#!/usr/bin/env sh
// 2>/dev/null; exec node -- "$0" "$@"
//
// To a shell the line above is a program that is none, and then the start of this file by Node. `--` keeps Node from what it does
// with --env-file wherever that stands: it would load the file that is meant for a container into this process, and with it the
// NODE_OPTIONS that may be in there.
// CommonJS, and few files with their compiled code, because this process is to start in the time that Node needs.
const { readFileSync, statSync } = require('node:fs');
const { join } = require('node:path');
const { Script } = require('node:vm');

const directory = join(__dirname, '../dist/bundle');
const commands = 'src/command-line/commands/';
const making = [`${commands}create.ts`, `${commands}exec.ts`, `${commands}run.ts`];

function read(path, encoding) {
  try {
    return readFileSync(path, encoding);
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}

const loaded = new Map();

/** The modules of one part of the bundle by their paths; undefined without a bundle. */
function loadPart(name) {
  const known = loaded.get(name);
  if (known !== undefined) return known;
  const filename = join(directory, `${name}.cjs`);
  const source = read(filename, 'utf8');
  if (source === undefined) return undefined;
  const cachedData = read(join(directory, `${name}-${process.version}-${process.arch}.code`));
  const script = new Script(source, { filename, ...(cachedData && { cachedData }) });
  const module = { exports: {} };
  loaded.set(name, module.exports);
  script.runInThisContext()(module.exports, requireFrom, module, filename, directory);
  return module.exports;
}

/** The `require` of the parts: another part's module, or what is outside of the bundle. */
function requireFrom(id) {
  if (!id.startsWith('part:')) return require(id);
  const path = id.slice('part:'.length);
  return loadPart(making.includes(path) ? 'create' : 'rest')[path];
}

/** In a checkout whose modules were compiled after the bundle was made, it no longer says what they say. */
function isStale() {
  const built = statSync(join(__dirname, '../dist/.tsbuildinfo'), { throwIfNoEntry: false });
  const bundled = built && statSync(directory, { throwIfNoEntry: false });
  return built !== undefined && bundled !== undefined && bundled.mtimeMs < built.mtimeMs;
}

async function run() {
  const bundled = isStale() ? undefined : loadPart('main');
  const { main } = bundled?.['src/command-line/main.ts'] ?? (await import('../dist/command-line/main.js'));
  // Ended outright: streams of a container that this process no longer needs must not keep it alive.
  process.exit(await main(process.argv.slice(2)));
}

run();
