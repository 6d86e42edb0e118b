import assert from 'node:assert/strict';
import { test } from 'node:test';
import { build } from 'esbuild';
import { root } from './packed.ts';

/** One import of each library, and parts of the library that it has nothing to do with. */
const imports = [
  { name: 'parseReference', from: '@ocijs/image', without: /\/(tar|compression|store|contents|layer)\// },
  { name: 'expandSparse', from: '@ocijs/image/tar', without: /\/(store|manifest|contents)\// },
  { name: 'constants', from: '@ocijs/linux', without: /\/(library|isal|zstd|mount)[.-]/ },
  { name: 'listTags', from: '@ocijs/registry', without: /\/(server|signature|artifact)\// },
  { name: 'mergeEnvironment', from: '@ocijs/bundle/spec', without: /\/(unpack|rootfs|repack)\// },
  { name: 'compileSeccomp', from: '@ocijs/runtime/seccomp', without: /\/(lifecycle|cgroup|init)\// },
  { name: 'parseIgnoreFile', from: '@ocijs/build', without: /\/(copy|cache|run|executor)\// },
] as const;

for (const { name, from, without } of imports) {
  test(`a program that imports ${name} of ${from} gets little more`, async () => {
    const { metafile } = await build({
      stdin: {
        contents: `import { ${name} } from '${from}'; globalThis.kept = ${name};`,
        resolveDir: `${root}test`,
      },
      bundle: true,
      minify: true,
      platform: 'node',
      format: 'esm',
      write: false,
      metafile: true,
      external: ['koffi', 'zlib-sync', 'undici', '@sigstore/*'],
      absWorkingDir: root,
    });
    const [bundled] = Object.values(metafile.outputs);
    const kept = Object.entries(bundled?.inputs ?? {}).filter(([, { bytesInOutput }]) => bytesInOutput > 0);
    const modules = kept.map(([path]) => path);
    assert.ok(
      modules.some((path) => path.startsWith('packages/')),
      'the import itself is there',
    );
    assert.deepEqual(
      modules.filter((path) => without.test(path)),
      [],
    );
  });
}
