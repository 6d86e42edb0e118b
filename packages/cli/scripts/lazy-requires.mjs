// Part of the build: oclif loads all it may ever need at once, for plugins, themes, prompts and TypeScript. In the bundle
// each of its modules is loaded when it is first used.
import { readFileSync } from 'node:fs';

const lazy = `const lazily = (load) => {
  let module;
  const get = () => (module ??= load());
  return new Proxy(function () {}, {
    get: (_, name) => get()[name],
    has: (_, name) => name in get(),
    apply: (_, self, values) => Reflect.apply(get(), self, values),
    construct: (_, values) => Reflect.construct(get(), values),
  });
};
`;

export const lazyRequires = {
  name: 'lazy-requires',
  setup({ onLoad }) {
    onLoad({ filter: /\/@oclif\/core\/lib\/.*\.js$/ }, ({ path }) => {
      const source = readFileSync(path, 'utf8');
      const contents = source
        .replaceAll(
          /^(const|var) (\w+) = require\((["'])(?!node:(?!readline))([^"']+)\3\);$/gm,
          "$1 $2 = lazily(() => require('$4'));",
        )
        .replaceAll(
          /^(const|var) (\w+) = __importDefault\(require\((["'])(?!node:(?!readline))([^"']+)\3\)\);$/gm,
          "$1 $2 = lazily(() => __importDefault(require('$4')));",
        );
      return contents === source
        ? undefined
        : { contents: contents.replace(/^"use strict";\n/, `"use strict";\n${lazy}`), loader: 'js' };
    });
  },
};
