// Part of the bundle: where modules would be without it, in the packages that are installed.
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

/** Any file of the bundle: they are all in one directory. */
export const bundleUrl = import.meta.url;

/** The URL that a module of a package has as `import.meta.url`; `path` is that below dist. */
export function placeIn(name, path) {
  return new URL(path, entryOf(name)).href;
}

function entryOf(name) {
  if (name === '@ocijs/cli') return new URL('../index.js', bundleUrl);
  const here = createRequire(bundleUrl);
  // The one package that is no direct dependency.
  const from = name === '@ocijs/linux' ? createRequire(here.resolve('@ocijs/bundle')) : here;
  return pathToFileURL(from.resolve(name));
}
