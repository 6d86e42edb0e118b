// `npm run demo`: the whole way of an image, made on the spot, on loopback, in a temporary directory.
import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { styleText } from 'node:util';
import { unpack } from '@ocijs/bundle';
import { buildLayer, openStore, validateImage, writeImage } from '@ocijs/image';
import { pull, push } from '@ocijs/registry';
import { startRegistry } from '@ocijs/registry/server';
import { launch } from '@ocijs/runtime';

const interruption = new AbortController();
for (const name of ['SIGINT', 'SIGTERM']) process.once(name, () => interruption.abort(new Error(name)));
const { signal } = interruption;
const directory = await mkdtemp(join(tmpdir(), 'ocijs-demo-'));
try {
  await demo();
} finally {
  await rm(directory, { recursive: true, force: true });
}

async function demo() {
  const started = performance.now();
  await using registry = await startRegistry({ directory: `${directory}/registry`, signal });
  await using ours = await openStore(`${directory}/author`);
  await using theirs = await openStore(`${directory}/user`);
  const name = `${registry.host}/demo:latest`;
  say('a registry', `listens on ${registry.url}`);

  const image = await step('an image, from nothing', () => makeImage(ours, name));
  say('', `two layers; the second one removes and replaces parts of the first: ${image.digest}`);

  const pushed = await step('push', () => push(name, name, { store: ours, signal }));
  report(pushed.blobs);
  const pulled = await step('pull, into another store', () => pull(name, { store: theirs, signal }));
  report(pulled.report.blobs);
  const again = await step('pull again', () => pull(name, { store: theirs, signal }));
  say(
    '',
    `${again.report.bytesFetched} bytes fetched: the registry was asked once whether anything had changed`,
  );

  const violations = await step('verify', () => validateImage(pulled, { signal }));
  if (violations.length > 0) throw new Error(violations.map(({ message }) => message).join('\n'));
  say('', 'every digest, size and diffID was computed again and agrees');
  const failure = await step('a registry that changes one byte', () => tamper(registry));
  say('', `refused: ${failure.message}`);

  const bundle = await step('unpack', () => unpack(pulled, `${directory}/bundle`, { signal }));
  say('', 'rootfs and config.json, for this runtime or any other');
  const state = `${directory}/containers`;
  const { exitCode, lines } = await step(
    `run, as ${process.getuid() === 0 ? 'root' : 'an ordinary user'}`,
    async () => {
      await using container = await launch(bundle, {
        root: state,
        stdio: ['ignore', 'pipe', 'inherit'],
        signal,
      });
      const printed = await text(container.stdout);
      return { ...(await container.wait()), lines: printed.trimEnd().split('\n') };
    },
  );
  for (const line of lines) say('', `${styleText('cyan', '│')} ${line}`);
  say('', `the program ended with ${exitCode}, as it meant to; no daemon ran, nothing is left behind`);
  say('', `${seconds(started)} from nothing to the end\n`);
  if (exitCode !== 42) throw new Error(`the container ended with ${exitCode} instead of 42`);
}

/** A base layer with a static program and some files, and a second layer with whiteouts. */
async function makeImage(store, name) {
  const tour = `${directory}/tour`;
  const source = fileURLToPath(new URL('../examples/demo/tour.c', import.meta.url));
  execFileSync('cc', ['-O2', '-static', '-s', '-o', tour, source]);
  const folder = (path, mode = 0o755) => ({ header: { name: path, type: 'directory', mode } });
  const file = (path, body, mode = 0o644) => ({
    header: { name: path, type: 'file', mode, size: Buffer.byteLength(body) },
    body: Buffer.from(body),
  });
  const base = await buildLayer(
    [
      ...['bin/', 'dev/', 'etc/', 'proc/', 'sys/', 'garden/', 'garden/bed/', 'garden/shed/'].map((path) =>
        folder(path),
      ),
      folder('tmp/', 0o1777),
      file('bin/tour', await readFile(tour), 0o4755),
      file('etc/passwd', 'root:x:0:0:root:/:/bin/tour\ngardener:x:1000:1000::/garden:/bin/tour\n'),
      file('garden/bed/tulip', 'red\n'),
      file('garden/bed/weed', 'a whiteout removes this\n'),
      file('garden/shed/rake', 'an opaque directory hides this\n'),
      { header: { name: 'garden/bed/red-one', type: 'link', linkname: 'garden/bed/tulip', mode: 0o644 } },
      { header: { name: 'garden/gate', type: 'symlink', linkname: 'shed/spade', mode: 0o777 } },
    ],
    { compression: 'gzip' },
  );
  const changes = await buildLayer(
    [
      file('garden/bed/.wh.weed', ''),
      file('garden/bed/rose', 'pink\n'),
      file('garden/shed/.wh..wh..opq', ''),
      file('garden/shed/spade', 'new\n'),
    ],
    { compression: 'zstd' },
  );
  const architecture = process.arch === 'x64' ? 'amd64' : process.arch;
  const config = { Entrypoint: ['/bin/tour'], Cmd: ['/garden'], Env: ['PATH=/bin'], WorkingDir: '/garden' };
  return writeImage(store, {
    name,
    layers: [base, changes],
    platform: { os: 'linux', architecture },
    config,
  });
}

/** Flips one byte of a layer on the registry's disk: the next pull must fail, and its store must stay empty. */
async function tamper(registry) {
  await using store = await openStore(`${directory}/registry`);
  const [image] = await store.list();
  const { manifest } = await store.image(image.name);
  const path = store.file(manifest.layers[0].digest);
  const bytes = await readFile(path);
  const honest = Buffer.from(bytes);
  bytes[bytes.length >> 1] ^= 1;
  await writeFile(path, bytes);
  await using victim = await openStore(`${directory}/victim`);
  const failure = await pull(`${registry.host}/demo:latest`, { store: victim, signal, retry: 0 }).catch(
    (error) => error,
  );
  await writeFile(path, honest);
  if (failure.code !== 'ERR_OCI_DIGEST_MISMATCH') throw failure;
  if ((await victim.list()).length > 0) throw new Error('the damaged image has a name in the store');
  return failure;
}

async function step(title, work) {
  const started = performance.now();
  const result = await work();
  console.log(`${styleText('green', '✓')} ${styleText('bold', title)} ${styleText('dim', seconds(started))}`);
  return result;
}

function say(title, text) {
  console.log(title ? `${styleText('green', '✓')} ${styleText('bold', title)} ${text}` : `  ${text}`);
}

function report(blobs) {
  for (const { digest, size, status } of blobs)
    say('', `${status.padEnd(8)} ${digest.slice(0, 19)}…  ${String(size).padStart(7)} bytes`);
}

function seconds(started) {
  return `${((performance.now() - started) / 1000).toFixed(2)} s`;
}
