// Part of the build: where a module of ECMAScript imports one of Node's, Node reads all that this one has, which loads what
// nobody asked for: with node:http, a WebSocket and a fetch, 45 ms. The bundle takes Node's modules as they are.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';

const statement = /\bimport\s*([^"';()]*?)\s*from\s*"(node:[a-z0-9_/]+)";/g;

/** Rewrites all files in a directory. */
export function takeBuiltinModules(directory) {
  for (const name of readdirSync(directory).filter((name) => name.endsWith('.js'))) {
    const source = readFileSync(`${directory}/${name}`, 'utf8');
    const contents = source.replaceAll(statement, (_, clause, module) => declarations(clause, module));
    if (contents !== source) writeFileSync(`${directory}/${name}`, contents);
  }
}

/** The names of an import clause, as constants. */
function declarations(clause, module) {
  const value = `process.getBuiltinModule("${module}")`;
  const named = /\{(.*)\}$/.exec(clause)?.[1];
  const whole = clause
    .replace(/,?\s*\{.*\}$/, '')
    .replace(/^\*\s*as\s+/, '')
    .trim();
  const names = named?.replaceAll(/([\w$]+)\s+as\s+/g, '$1:');
  return [
    ...(whole === '' ? [] : [`const ${whole}=${value};`]),
    ...(names === undefined ? [] : [`const{${names}}=${value};`]),
  ].join('');
}
