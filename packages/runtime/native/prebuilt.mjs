// `npm run prebuilt -w @ocijs/runtime`: compiles the native programs for every architecture that packages are published for, beside
// those of this machine in dist/native/. Debian has the compilers: gcc-aarch64-linux-gnu, gcc-x86-64-linux-gnu. Unlike
// the build, it fails without one: a package that lacks one of them must not be published.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const compilers = { x64: 'x86_64-linux-gnu-gcc', arm64: 'aarch64-linux-gnu-gcc' };
/** What build.mjs makes. */
const programs = ['oci-init', 'oci-reaper'];
const build = new URL('./build.mjs', import.meta.url);

for (const [arch, compiler] of Object.entries(compilers)) {
  // build.mjs compiles for the architecture of its process.
  const program = `Object.defineProperty(process, 'arch', { value: '${arch}' }); await import('${build}');`;
  const env = arch === process.arch ? process.env : { ...process.env, CC: compiler };
  spawnSync(process.execPath, ['--input-type=module', '--eval', program], { stdio: 'inherit', env });
  for (const name of programs) {
    const binary = fileURLToPath(new URL(`../dist/native/${name}-${arch}`, import.meta.url));
    if (existsSync(binary)) process.stdout.write(`${binary}\n`);
    else {
      process.stderr.write(`${name} for ${arch} is missing\n`);
      process.exitCode = 1;
    }
  }
}
