import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

/** Who may import whom. An edge that is not here is a change of the architecture: change ARCHITECTURE.md too. */
const allowed: Record<string, readonly string[]> = {
  image: [],
  linux: [],
  registry: ['image'],
  bundle: ['image', 'linux'],
  runtime: ['bundle', 'image', 'linux'],
  build: ['bundle', 'image', 'linux', 'runtime'],
  cli: ['build', 'bundle', 'image', 'registry', 'runtime'],
};

/** Libraries with one home: nobody else may load them. */
const homes: Record<string, string> = { koffi: 'linux', undici: 'registry', '@oclif/core': 'cli' };

const root = fileURLToPath(new URL('../..', import.meta.url));

for (const [name, dependencies] of Object.entries(allowed)) {
  test(`${name} depends on ${dependencies.join(', ') || 'no other package'}`, () => {
    const manifest = JSON.parse(readFileSync(`${root}packages/${name}/package.json`, 'utf8'));
    const declared = Object.keys({
      ...manifest.dependencies,
      ...manifest.optionalDependencies,
      ...manifest.peerDependencies,
    });
    const ours = declared.filter((dependency) => dependency.startsWith('@ocijs/'));
    assert.deepEqual(ours.sort(), dependencies.map((dependency) => `@ocijs/${dependency}`).sort());
    for (const { file, specifier } of imports(name)) {
      const module = specifier.startsWith('@')
        ? specifier.split('/', 2).join('/')
        : (specifier.split('/')[0] ?? '');
      assert.ok(declared.includes(module), `${file} imports ${specifier}, which package.json does not name`);
      assert.ok(
        (homes[module] ?? name) === name,
        `${file} imports ${specifier}, which lives in ${homes[module]} alone`,
      );
    }
  });
}

function imports(name: string): { file: string; specifier: string }[] {
  const files = globSync(`packages/${name}/src/**/*.ts`, { cwd: root }).filter(
    (file) => !/\.test(kit)?\.ts$|\/testing\//.test(file),
  );
  assert.ok(files.length > 0, `no source in packages/${name}`);
  return files.flatMap((file) => {
    const source = readFileSync(root + file, 'utf8');
    const specifiers = source.matchAll(
      /(?:^(?:import|export|\}).*\bfrom |\bimport\(|\brequire\(|\.url\)\(|^import )'([@\w][\w@/.:-]*)'/gm,
    );
    return [...specifiers].map(([, specifier = '']) => ({ file, specifier })).filter(isPackage);
  });
}

function isPackage({ specifier }: { specifier: string }): boolean {
  return !specifier.startsWith('node:');
}
