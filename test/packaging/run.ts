// `npm run packaging`: packs every package, lets npm itself install the tarballs into an empty project, from the registry
// or its cache, and runs what was installed. What the tests do without npm, with it.
import { mkdir, writeFile } from 'node:fs/promises';
import { output } from '../kit/command.ts';
import { temporaryDirectory } from '../kit/temporary.ts';
import { packAll, published } from './packed.ts';

await using temporary = await temporaryDirectory();
const project = `${temporary.path}/project`;
await mkdir(project);
await writeFile(`${project}/package.json`, '{"private":true,"type":"module"}');
const tarballs = await packAll(temporary.path);
const flags = ['--prefer-offline', '--no-audit', '--no-fund', '--foreground-scripts=false'];
await output('npm', ['install', ...flags, ...tarballs.map(({ path }) => path)], {
  cwd: project,
  timeoutMs: 600_000,
});
const run = (file: string, ...args: readonly string[]) => output(file, args, { cwd: project });
process.stdout.write(await run('npx', 'oci', '--version'));
process.stdout.write(await run('npx', 'oci-runtime', '--version'));
for (const name of published) {
  const program = `console.log('@ocijs/${name}', Object.keys(await import('@ocijs/${name}')).length, 'names')`;
  process.stdout.write(await run(process.execPath, '--input-type=module', '--eval', program));
}
process.stdout.write(await run('npx', 'oci', 'doctor').catch((error: Error) => error.message));
