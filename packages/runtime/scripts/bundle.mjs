// Makes dist/bundle, what bin/oci-runtime.js runs, and code that V8 has compiled of it: a runtime's process is so short
// that reading some 250 modules is most of its life. Without esbuild nothing is made, and the modules of dist are run.
//
// There are three parts, so that each command reads little that it does not use: `main` has the command line and what looks
// at containers and ends them, `create` what makes processes, `rest` all that is imported when it is needed.
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { Script } from 'node:vm';

const root = fileURLToPath(new URL('../', import.meta.url));
const output = `${root}dist/bundle`;

const commandModule = (name) => `src/command-line/commands/${name}.ts`;
const small = ['delete', 'kill', 'list', 'pause', 'resume', 'start', 'state'];
const making = ['create', 'exec', 'run'];

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

/** A program whose exports are modules by their paths; `isOwn` says which imports on demand it keeps. */
async function bundlePart({ build }, { modules, statically, isOwn, outfile }) {
  const onDemand = new Set();
  const parts = {
    name: 'parts',
    setup({ onResolve, resolve }) {
      onResolve({ filter: /^[.@]/ }, async ({ path, kind, resolveDir, pluginData }) => {
        if (kind !== 'dynamic-import' || pluginData?.isResolved) return undefined;
        const found = await resolve(path, { kind, resolveDir, pluginData: { isResolved: true } });
        const module = relative(root, found.path);
        if (isOwn(module)) return found;
        onDemand.add(module);
        return { path: `part:${module}`, external: true };
      });
    },
  };
  const entry = modules.map((module, index) =>
    statically
      ? `import * as module${index} from './${module}';\nexports['${module}'] = module${index};`
      : `Object.defineProperty(exports, '${module}', { get: () => require('./${module}') });`,
  );
  const { metafile } = await build({
    absWorkingDir: root,
    stdin: { contents: entry.join('\n'), resolveDir: root, loader: 'ts' },
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node22',
    // What another part has is asked of bin/oci-runtime.js, by require.
    supported: { 'dynamic-import': false },
    conditions: ['source'],
    outfile,
    external: ['koffi', 'zlib-sync'],
    plugins: [parts],
    define: { 'import.meta.url': 'moduleUrl' },
    minifyWhitespace: true,
    minifySyntax: true,
    legalComments: 'none',
    logLevel: 'warning',
    metafile: true,
  });
  return { inputs: new Set(Object.keys(metafile.inputs)), onDemand };
}

/** A part of what some modules import statically, and of the imports on demand that lead to one of those. */
async function bundleStatic(esbuild, part) {
  const { inputs } = await bundlePart(esbuild, { ...part, statically: true, isOwn: () => false });
  return await bundlePart(esbuild, {
    ...part,
    statically: true,
    isOwn: (module) => inputs.has(module),
  });
}

/**
 * Compiled code is that of this version of Node alone; another one does without. All functions are compiled where most are
 * used, else none but those that run first.
 */
function compile(directory, part, { all }) {
  const filename = `${output}/${part}.cjs`;
  const path = `${directory}/${part}.cjs`;
  const program = readFileSync(path, 'utf8');
  const url = program.includes('moduleUrl')
    ? "const moduleUrl = require('node:url').pathToFileURL(__filename).href;"
    : '';
  const text = `(function (exports, require, module, __filename, __dirname) {${url}${program}\n})`;
  writeFileSync(path, text);
  if (all) setFlagsFromString('--no-lazy');
  const script = new Script(text, { filename });
  // The flags are part of what compiled code is known by.
  if (all) setFlagsFromString('--lazy');
  writeFileSync(`${directory}/${part}-${process.version}-${process.arch}.code`, script.createCachedData());
}

async function bundle(esbuild, directory) {
  const outfile = (part) => `${directory}/${part}.cjs`;
  const main = await bundleStatic(esbuild, {
    modules: ['src/command-line/main.ts', ...small.map(commandModule)],
    outfile: outfile('main'),
  });
  const create = await bundleStatic(esbuild, {
    modules: making.map(commandModule),
    outfile: outfile('create'),
  });
  const inCreate = new Set(making.map(commandModule));
  const others = [...main.onDemand, ...create.onDemand].filter((module) => !inCreate.has(module));
  await bundlePart(esbuild, {
    modules: [...new Set(others)].sort(),
    statically: false,
    isOwn: () => true,
    outfile: outfile('rest'),
  });
  compile(directory, 'main', { all: true });
  compile(directory, 'create', { all: true });
  compile(directory, 'rest', { all: false });
}

const esbuild = await findEsbuild();
const temporary = `${output}.${process.pid}`;
try {
  if (esbuild !== undefined) {
    mkdirSync(temporary, { recursive: true });
    await bundle(esbuild, temporary);
  }
  // A program that starts at this moment finds the old files, or the new ones.
  rmSync(output, { recursive: true, force: true });
  if (esbuild !== undefined) renameSync(temporary, output);
} finally {
  rmSync(temporary, { recursive: true, force: true });
}
