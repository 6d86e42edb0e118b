// Makes dist/bundle, what bin/oci.js runs: a file for each command and few that they share, instead of some 600 modules
// that Node would have to find and read. Without esbuild nothing is made, and the modules of dist are run.
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { takeBuiltinModules } from './builtin-modules.mjs';
import { lazyRequires } from './lazy-requires.mjs';
import { notices } from './notices.mjs';
import { undici } from './undici.mjs';

const root = fileURLToPath(new URL('../', import.meta.url));
const packages = fileURLToPath(new URL('../../', import.meta.url));
const output = `${root}dist/bundle`;

/** Programs of threads, by the module that starts them. */
const workers = {
  'bundle/src/unpack/start-worker.ts': ['layer-worker', 'content-worker', 'hash-worker', 'copy-worker'],
  'image/src/store/ingest/hash-threads.ts': ['hash-worker'],
  'runtime/src/owners/agent.ts': ['agent-worker'],
};

/** What is native, or may be missing. */
const external = ['koffi', 'zlib-sync', '@sigstore/*'];

async function findEsbuild() {
  try {
    return await import('esbuild');
  } catch {
    process.stderr.write('oci was not bundled: esbuild is not installed. It works, and starts slower.\n');
    return undefined;
  }
}

/**
 * Modules that look for something beside themselves look where they would be without the bundle; those that start
 * threads find these in a directory of the bundle.
 */
const places = {
  name: 'places',
  setup({ onLoad }) {
    onLoad({ filter: /\/packages\/[a-z]+\/src\/.*\.ts$/ }, ({ path }) => {
      const source = readFileSync(path, 'utf8');
      if (!source.includes('import.meta.url')) return undefined;
      const module = relative(packages, path);
      const [name, , ...rest] = module.split('/');
      const place =
        module in workers
          ? `new URL('./${name}/starter.js', bundleUrl).href`
          : `placeIn('@ocijs/${name}', './${rest.join('/').replace(/\.ts$/, '.js')}')`;
      return {
        contents: `import { bundleUrl, placeIn } from ${JSON.stringify(`${root}scripts/places.mjs`)};\n${source.replaceAll('import.meta.url', place)}`,
        loader: 'ts',
      };
    });
  },
};

/** The overview of all commands says what they say, without loading them. */
function summaries(text) {
  return {
    name: 'summaries',
    setup({ onLoad }) {
      onLoad({ filter: /\/cli\/src\/help\/summaries\.ts$/ }, () => ({
        contents: `export async function commandSummaries() { return ${JSON.stringify(text)}; }`,
      }));
    },
  };
}

/** A CommonJS module that is imported when it is needed has names there too, as Node finds them. */
const namesOfCommonJs = {
  name: 'names-of-common-js',
  setup({ onLoad, onResolve }) {
    const namespace = 'names';
    onResolve({ filter: /^[\w@]/ }, ({ path, kind, importer }) => {
      const isOurs = /\/packages\/[a-z]+\/src\//.test(importer);
      if (kind !== 'dynamic-import' || !isOurs || /^(node:|@ocijs\/|koffi|@sigstore\/)/.test(path))
        return undefined;
      return { path, namespace, pluginData: dirname(importer) };
    });
    onLoad({ filter: /.*/, namespace }, async ({ path, pluginData }) => {
      const names = Object.keys(await import(path)).filter((name) => /^[A-Za-z_$][\w$]*$/.test(name));
      const named = names.filter((name) => name !== 'default' && name !== 'module.exports');
      return {
        contents: `import all from '${path}';\nexport const { ${named.join(', ')} } = all;\nexport default all;`,
        resolveDir: pluginData,
      };
    });
  },
};

const settings = {
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node22',
  conditions: ['source'],
  external,
  // Node loads eleven modules of its own for the name.
  define: { 'performance.now': 'performanceNow' },
  // What CommonJS modules expect to be there.
  banner: {
    js: [
      "import { createRequire as requireOf } from 'node:module';",
      'const require = requireOf(import.meta.url), { filename: __filename, dirname: __dirname } = import.meta;',
      'const performanceNow = () => process.uptime() * 1000;',
    ].join('\n'),
  },
  minifyWhitespace: true,
  minifySyntax: true,
  legalComments: 'none',
  logLevel: 'warning',
};

async function bundle({ build }, directory) {
  const { commandSummaries } = await import('../dist/help/summaries.js');
  const { metafile } = await build({
    ...settings,
    entryPoints: [`${root}src/main.ts`],
    splitting: true,
    outdir: directory,
    plugins: [places, summaries(await commandSummaries()), undici, namesOfCommonJs, lazyRequires],
    metafile: true,
  });
  for (const [starter, names] of Object.entries(workers)) {
    await build({
      ...settings,
      entryPoints: names.map((name) => `${packages}${dirname(starter)}/${name}.ts`),
      outdir: `${directory}/${starter.split('/', 1)}`,
      plugins: [places],
    });
  }
  for (const part of ['', ...Object.keys(workers).map((starter) => `/${starter.split('/', 1)}`)]) {
    takeBuiltinModules(`${directory}${part}`);
  }
  writeFileSync(`${directory}/NOTICES.txt`, notices(metafile));
}

const esbuild = await findEsbuild();
const temporary = `${output}.${process.pid}`;
try {
  if (esbuild !== undefined) await bundle(esbuild, temporary);
  // A program that starts at this moment finds the old files, or the new ones.
  rmSync(output, { recursive: true, force: true });
  if (esbuild !== undefined) renameSync(temporary, output);
} finally {
  rmSync(temporary, { recursive: true, force: true });
}
