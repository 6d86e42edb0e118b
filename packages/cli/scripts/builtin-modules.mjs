// Part of the build: where a module of ECMAScript imports one of Node's, Node reads all that this one has, which loads what
// nobody asked for: with node:http, a WebSocket and a fetch, 45 ms. The bundle takes Node's modules as they are.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';

const statement = /\bimport\s*([^"';()]*?)\s*from\s*"(node:[a-z0-9_/]+)";/g;

/** What most commands import and few use, with a dozen of modules behind it: it is loaded by the first call. */
const late = {
  'node:child_process': ['execFile', 'spawn', 'spawnSync'],
  'node:worker_threads': ['Worker'],
};

const lateFunction =
  'const lateFunction=(module,name)=>{const get=()=>process.getBuiltinModule(module)[name];return new Proxy(function(){},{' +
  'get:(_,key)=>get()[key],apply:(_,self,values)=>Reflect.apply(get(),self,values),' +
  'construct:(_,values)=>Reflect.construct(get(),values)})};';

/** Rewrites all files in a directory. */
export function takeBuiltinModules(directory) {
  for (const name of readdirSync(directory).filter((name) => name.endsWith('.js'))) {
    const source = readFileSync(`${directory}/${name}`, 'utf8');
    const contents = source.replaceAll(statement, (_, clause, module) => declarations(clause, module));
    if (contents === source) continue;
    writeFileSync(
      `${directory}/${name}`,
      contents.includes('lateFunction(') ? lateFunction + contents : contents,
    );
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
  const names = named?.split(',').map((name) => name.trim().split(/\s+as\s+/)) ?? [];
  const isLate = ([name]) => late[module]?.includes(name) === true;
  const pairs = names.filter((name) => !isLate(name)).map((name) => name.join(':'));
  return [
    ...(whole === '' ? [] : [`const ${whole}=${value};`]),
    ...(pairs.length === 0 ? [] : [`const{${pairs}}=${value};`]),
    ...names
      .filter(isLate)
      .map(([name, local = name]) => `const ${local}=lateFunction("${module}","${name}");`),
  ].join('');
}
