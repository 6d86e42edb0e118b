// The same CI job as a program: pull by digest, verify, unpack, smoke test, report, push. What fails throws, with a code and a hint.
import { readFile, writeFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { unpack } from '@ocijs/bundle';
import { analyzeImage, openStore } from '@ocijs/image';
import { pull, push, verify } from '@ocijs/registry';
import { launch } from '@ocijs/runtime';

const { IMAGE, DIGEST, KEY, DESTINATION } = process.env;
const pinned = `${IMAGE}@${DIGEST}`;

await using store = await openStore();
const image = await pull(pinned, { store });
console.log(
  `pulled ${image.report.digest}: ${image.report.blobs.length} blobs, ${image.report.bytesFetched} bytes`,
);

const { signatures } = await verify(pinned, { key: await readFile(KEY) });
console.log(`signed as ${signatures[0].identity}`);

const bundle = await unpack(image, 'bundle');
console.log(`unpacked, ${bundle.config.process.args.join(' ')} is its command`);

await using container = await launch(bundle, {
  args: ['sh', '-c', 'echo "works as $(id -u)"'],
  stdio: ['ignore', 'pipe', 'inherit'],
});
const answer = await text(container.stdout);
const { exitCode } = await container.wait();
console.log(`smoke test: ${answer.trim()}`);
if (exitCode !== 0 || answer !== 'works as 0\n') throw new Error('the smoke test failed');

const { layers, files, bytes, wasted, duplicates } = await analyzeImage(image);
const report = { digest: image.report.digest, files, bytes, wasted, duplicates, layers };
await writeFile('report.json', JSON.stringify(report, null, 2));
console.log(`report.json: ${layers.length} layers, ${files} files, ${bytes} bytes`);

const pushed = await push(pinned, DESTINATION, { store });
console.log(`pushed ${DESTINATION}@${pushed.digest}`);
