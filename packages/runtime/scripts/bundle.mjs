// Makes dist/bundle/oci-runtime.cjs, one file with everything that bin/oci-runtime.js runs, and code that V8 has compiled
// of it: a runtime's process is so short that reading some 200 modules is most of its life. Without esbuild nothing is
// made, and the modules of dist are run.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Script } from 'node:vm';

const root = fileURLToPath(new URL('../', import.meta.url));
const directory = `${root}dist/bundle`;
const output = `${directory}/oci-runtime.cjs`;

async function findEsbuild() {
  try {
    return await import('esbuild');
  } catch {
    process.stderr.write(
      'oci-runtime was not bundled: esbuild is not installed. It works, and starts slower.\n',
    );
    return undefined;
  }
}

async function bundle({ build }) {
  await build({
    stdin: {
      contents: "import { main } from './src/command-line/main.ts'; module.exports = main;",
      resolveDir: root,
      loader: 'ts',
    },
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node22',
    conditions: ['source'],
    outfile: output,
    external: ['koffi', 'zlib-sync'],
    define: { 'import.meta.url': 'moduleUrl' },
    banner: { js: "const moduleUrl = require('node:url').pathToFileURL(__filename).href;" },
    minifyWhitespace: true,
    minifySyntax: true,
    legalComments: 'none',
    logLevel: 'warning',
  });
}

/** The compiled code is that of this version of Node alone; another one does without. */
async function compile() {
  const text = `(function (exports, require, module, __filename, __dirname) {${readFileSync(output, 'utf8')}\n})`;
  writeFileSync(output, text);
  const script = new Script(text, { filename: output });
  const { createRequire } = await import('node:module');
  const loaded = { exports: {} };
  script.runInThisContext()(loaded.exports, createRequire(output), loaded, output, directory);
  // What most calls need is compiled by being run; none of these does anything.
  const ignore = { standardOutput: () => undefined, standardError: () => undefined };
  const nowhere = ['--root', '/nonexistent/oci-runtime'];
  for (const argv of [
    ['--version'],
    ['list'],
    ['state', 'x'],
    ['kill', 'x'],
    ['delete', '-f', 'x'],
    ['start', 'x'],
  ]) {
    await loaded.exports([...nowhere, ...argv], ignore);
  }
  for (const name of ['create', 'run'])
    await loaded.exports([...nowhere, name, '-b', '/nonexistent', 'x'], ignore);
  await loaded.exports([...nowhere, 'exec', 'x', 'true'], ignore);
  writeFileSync(`${directory}/${process.version}-${process.arch}.code`, script.createCachedData());
}

const esbuild = await findEsbuild();
rmSync(directory, { recursive: true, force: true });
if (esbuild !== undefined) {
  mkdirSync(directory, { recursive: true });
  await bundle(esbuild);
  await compile();
}
