// Bundles the page of `oci explore` into one file: dist/page/explore.html.
import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('../page/', import.meta.url));
const target = fileURLToPath(new URL('../dist/page/', import.meta.url));
const { build } = await import('esbuild').catch(() => {
  process.stderr.write('The page of oci explore was not made: esbuild is not installed.\n');
  process.exit();
});
const options = { bundle: true, minify: true, write: false, logLevel: 'warning', charset: 'utf8' };

const [script, style] = await Promise.all([
  build({
    ...options,
    entryPoints: [`${folder}main.tsx`],
    format: 'iife',
    target: 'es2023',
    jsx: 'automatic',
    jsxImportSource: 'preact',
  }).then(textOf),
  build({ ...options, entryPoints: [`${folder}style/style.css`] }).then(textOf),
]);
const policy = [
  "default-src 'none'",
  `script-src '${hash(script)}'`,
  `style-src '${hash(style)}'`,
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');

const html = await readFile(`${folder}explore.html`, 'utf8');
const page = html
  .replace('@POLICY@', policy)
  .replace('<style></style>', () => `<style>${style}</style>`)
  .replace('<script></script>', () => `<script>${script}</script>`);
await mkdir(target, { recursive: true });
// Whoever reads it at this moment has the old page, or the new one.
const temporary = `${target}explore.html.${process.pid}`;
await writeFile(temporary, page + (await licences(['preact', 'd3-hierarchy'])));
await rename(temporary, `${target}explore.html`);

function textOf({ outputFiles: [file] }) {
  const text = file.text.trim();
  // What would end the element, or be taken for the place of the report, must not be in it.
  if (/<\/(script|style)|<!--|@REPORT@/i.test(text)) throw new Error(`${file.path} cannot stand in HTML`);
  return text;
}

function hash(text) {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}

/** The licences of what is bundled, which have to go along. */
async function licences(names) {
  const texts = await Promise.all(
    names.map(async (name) => {
      const [modules] = fileURLToPath(import.meta.resolve(name)).split(`/${name}/`);
      const text = await readFile(`${modules}/${name}/LICENSE`, 'utf8');
      return `${name}\n\n${text.trim()}`;
    }),
  );
  return `<!--\nThis page holds:\n\n${texts.join('\n\n').replaceAll('--', '- -')}\n-->\n`;
}
