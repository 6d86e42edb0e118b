import { chmod, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** Text by path; `-> target` makes a link, and the names of programs get their mode. */
export type ProjectFiles = Readonly<Record<string, string>>;

/** Writes files below a directory. */
export async function writeFiles(directory: string, files: ProjectFiles): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    const path = join(directory, name);
    await mkdir(dirname(path), { recursive: true });
    if (text.startsWith('-> ')) await symlink(text.slice(3), path);
    else await writeFile(path, text);
    if (text.startsWith('#!')) await chmod(path, 0o755);
  }
}

/** The lock files of {@link shopFiles}, by the directory of their test data. */
export const shopLocks: Readonly<Record<string, string>> = {
  npm: 'package-lock.json',
  'npm-2': 'package-lock.json',
  'pnpm-6': 'pnpm-lock.yaml',
  'pnpm-9': 'pnpm-lock.yaml',
  'yarn-1': 'yarn.lock',
  'yarn-berry': 'yarn.lock',
};

/** A lock file of the test data. */
export function readShopLock(kind: string): Promise<string> {
  return readFile(new URL(`../node/testdata/${kind}/${shopLocks[kind]}`, import.meta.url), 'utf8');
}

const json = (value: object): string => `${JSON.stringify(value, undefined, 2)}\n`;

/** A published package with one file of code. */
export function publishedFiles(
  directory: string,
  manifest: { readonly name: string; readonly version: string } & Readonly<Record<string, unknown>>,
): ProjectFiles {
  return {
    [`${directory}/package.json`]: json(manifest),
    [`${directory}/index.js`]: `module.exports = '${manifest.name}@${manifest.version}';\n`,
  };
}

const platformPackage = (arch: string) => ({
  name: `@esbuild/linux-${arch}`,
  version: '0.25.0',
  os: ['linux'],
  cpu: [arch],
});

const installed: Readonly<Record<string, Parameters<typeof publishedFiles>[1]>> = {
  debug: { name: 'debug', version: '4.3.4' },
  ms: { name: 'ms', version: '2.1.3' },
  'debug/node_modules/ms': { name: 'ms', version: '2.1.2' },
  short: { name: 'ms', version: '2.0.0' },
  semver: { name: 'semver', version: '7.6.0', bin: 'bin.js' },
  picocolors: { name: 'picocolors', version: '1.1.1' },
  '@esbuild/linux-x64': platformPackage('x64'),
  '@esbuild/linux-arm64': platformPackage('arm64'),
};

/** The workspace that the lock files of the test data are of, as npm and yarn install it, or pnpm. */
export function shopFiles({ layout }: { readonly layout: 'flat' | 'pnpm' }): ProjectFiles {
  const workspace = layout === 'pnpm' ? 'workspace:^1.0.0' : '^1.0.0';
  return {
    'package.json': json({
      name: 'shop',
      private: true,
      workspaces: ['packages/*'],
      devDependencies: { semver: '7.6.0' },
    }),
    'packages/api/package.json': json({
      name: '@shop/api',
      version: '2.0.0',
      scripts: { start: 'node main.js --verbose' },
      dependencies: { '@shop/lib': workspace, debug: '4.3.4', short: 'npm:ms@2.0.0' },
      devDependencies: { picocolors: '1.1.1' },
      optionalDependencies: {
        '@esbuild/linux-arm64': '0.25.0',
        '@esbuild/linux-x64': '0.25.0',
        fsevents: '2.3.3',
      },
    }),
    'packages/api/main.js': `console.log(require('@shop/lib'), require('debug'), require('short'));\n`,
    'packages/lib/package.json': json({
      name: '@shop/lib',
      version: '1.0.0',
      dependencies: { ms: '~2.1.3' },
      devDependencies: { semver: '7.6.0' },
    }),
    'packages/lib/index.js': `module.exports = require('ms');\n`,
    ...(layout === 'flat' ? flatModules() : pnpmModules()),
  };
}

function flatModules(): ProjectFiles {
  const packages = Object.entries(installed).map(([place, manifest]) =>
    publishedFiles(`node_modules/${place}`, manifest),
  );
  return {
    ...Object.assign({}, ...packages),
    'node_modules/@shop/api': '-> ../../packages/api',
    'node_modules/@shop/lib': '-> ../../packages/lib',
    'node_modules/.bin/semver': '-> ../semver/bin.js',
    'node_modules/.cache/secret': 'cached',
  };
}

function pnpmModules(): ProjectFiles {
  const packages = Object.values(installed).map((manifest) => {
    const { name, version } = manifest;
    return publishedFiles(
      `node_modules/.pnpm/${name.replace('/', '+')}@${version}/node_modules/${name}`,
      manifest,
    );
  });
  const store = '../../../node_modules/.pnpm';
  return {
    ...Object.assign({}, ...packages),
    'node_modules/.pnpm/debug@4.3.4/node_modules/ms': '-> ../../ms@2.1.2/node_modules/ms',
    'node_modules/.pnpm/node_modules/ms': '-> ../ms@2.1.3/node_modules/ms',
    'node_modules/semver': '-> .pnpm/semver@7.6.0/node_modules/semver',
    'node_modules/.modules.yaml': 'x: y',
    'packages/api/node_modules/debug': `-> ${store}/debug@4.3.4/node_modules/debug`,
    'packages/api/node_modules/short': `-> ${store}/ms@2.0.0/node_modules/ms`,
    'packages/api/node_modules/picocolors': `-> ${store}/picocolors@1.1.1/node_modules/picocolors`,
    'packages/api/node_modules/@shop/lib': '-> ../../../lib',
    'packages/api/node_modules/@esbuild/linux-x64': `-> ../${store}/@esbuild+linux-x64@0.25.0/node_modules/@esbuild/linux-x64`,
    'packages/api/node_modules/@esbuild/linux-arm64': `-> ../${store}/@esbuild+linux-arm64@0.25.0/node_modules/@esbuild/linux-arm64`,
    'packages/lib/node_modules/ms': `-> ${store}/ms@2.1.3/node_modules/ms`,
  };
}
