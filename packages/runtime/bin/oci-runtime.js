#!/usr/bin/env node
// CommonJS, and one file with its compiled code, because this process is to start in the time that Node needs.
const { readFileSync, statSync } = require('node:fs');
const { createRequire } = require('node:module');
const { join } = require('node:path');
const { Script } = require('node:vm');

const directory = join(__dirname, '../dist/bundle');
const filename = join(directory, 'oci-runtime.cjs');

function read(path, encoding) {
  try {
    return readFileSync(path, encoding);
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}

function load(source) {
  const cachedData = read(join(directory, `${process.version}-${process.arch}.code`));
  const script = new Script(source, { filename, ...(cachedData && { cachedData }) });
  const loaded = { exports: {} };
  script.runInThisContext()(loaded.exports, createRequire(filename), loaded, filename, directory);
  return loaded.exports;
}

/** In a checkout whose modules were compiled after the file was made, it no longer says what they say. */
function isStale() {
  const built = statSync(join(__dirname, '../dist/.tsbuildinfo'), { throwIfNoEntry: false });
  const bundled = built && statSync(filename, { throwIfNoEntry: false });
  return built !== undefined && bundled !== undefined && bundled.mtimeMs < built.mtimeMs;
}

async function run() {
  const source = isStale() ? undefined : read(filename, 'utf8');
  const main = source === undefined ? (await import('../dist/command-line/main.js')).main : load(source);
  // Ended outright: streams of a container that this process no longer needs must not keep it alive.
  process.exit(await main(process.argv.slice(2)));
}

run();
