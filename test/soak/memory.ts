import { spawn } from 'node:child_process';
import { createCipheriv } from 'node:crypto';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { parseArgs } from 'node:util';
import { createHasher, type Descriptor, encodeJson, MediaType, openStore, type Store } from '@ocijs/image';
import { dockerRegistry } from '../kit/docker-registry.ts';
import { ociProgram } from '../kit/oci.ts';
import { missing } from '../kit/requirements.ts';
import { temporaryDirectory } from '../kit/temporary.ts';

// How much memory `oci push` and `oci pull` take for an image of one large layer. Needs the built packages, and three
// times the size of the layer on the disk, in TMPDIR. Exits with 1 when it is too much.
//
//   node --conditions=source test/soak/memory.ts [--megabytes 2048] [--limit 150]

/** Says in the end how much memory the program took, in KiB. */
const witness = `data:text/javascript,${encodeURIComponent(
  'import { writeSync } from "node:fs"; process.on("exit", () => writeSync(3, String(process.resourceUsage().maxRSS)));',
)}`;

const print = (line: string): boolean => process.stdout.write(`${line}\n`);

const { values } = parseArgs({
  options: {
    megabytes: { type: 'string', default: '2048' },
    limit: { type: 'string', default: '150' },
  },
});
const reason = missing({ commands: ['docker-registry'] });
if (reason) {
  print(`left out: ${reason}`);
} else {
  const bytes = Number(values.megabytes) * 1024 * 1024;
  await using directory = await temporaryDirectory();
  await using registry = await dockerRegistry(directory.path);
  const reference = `${registry.host}/large:1`;
  const source = join(directory.path, 'source');
  await mkdir(source, { mode: 0o700 });
  {
    await using store = await openStore(source);
    await store.tag(reference, await imageOfNoise(store, bytes));
  }
  for (const [direction, store] of [
    ['push', source],
    ['pull', join(directory.path, 'target')],
  ] as const) {
    const { seconds, rss } = await transfer(direction, { store, reference });
    const speed = bytes / 1e6 / seconds;
    print(
      `${direction} of ${values.megabytes} MiB: ${rss.toFixed(0)} MB of memory, ${seconds.toFixed(1)} s, ${speed.toFixed(0)} MB/s`,
    );
    if (rss > Number(values.limit)) process.exitCode = 1;
  }
}

/** Runs one direction in a process of its own. */
async function transfer(
  direction: 'push' | 'pull',
  { store, reference }: { readonly store: string; readonly reference: string },
): Promise<{ readonly seconds: number; readonly rss: number }> {
  const started = performance.now();
  const args = [
    '--import',
    witness,
    ociProgram,
    direction,
    '--store',
    store,
    '--progress',
    'none',
    reference,
  ];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit', 'pipe'] });
  const pipe = child.stdio[3];
  let said = '';
  if (pipe instanceof Readable)
    pipe.on('data', (data: Buffer) => {
      said += data.toString();
    });
  const [status] = (await once(child, 'close')) as [number | null];
  if (status !== 0) throw new Error(`oci ${direction} ended with ${status}`);
  return { seconds: (performance.now() - started) / 1000, rss: Number(said) / 1024 };
}

/** An image of one layer without a tar in it: nobody unpacks it. Noise, since a registry might compress. */
async function imageOfNoise(store: Store, bytes: number): Promise<Descriptor> {
  const chunks = function* (): Generator<Buffer> {
    const cipher = createCipheriv('aes-128-ctr', Buffer.alloc(16, 1), Buffer.alloc(16));
    const zeros = Buffer.alloc(1024 * 1024);
    for (let rest = bytes; rest > 0; rest -= zeros.length)
      yield cipher.update(zeros.subarray(0, Math.min(rest, zeros.length)));
  };
  const hasher = createHasher('sha256');
  for (const chunk of chunks()) hasher.update(chunk);
  const layer: Descriptor = { mediaType: MediaType.layer, digest: hasher.digest(), size: bytes };
  await using ingest = await store.ingest(layer);
  for (const chunk of chunks()) await ingest.write(chunk);
  await ingest.commit();
  const config = await store.put(
    encodeJson({
      os: 'linux',
      architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
      rootfs: { type: 'layers', diff_ids: [layer.digest] },
    }),
    { mediaType: MediaType.config },
  );
  const manifest = { schemaVersion: 2, mediaType: MediaType.manifest, config, layers: [layer] };
  return store.put(encodeJson(manifest), { mediaType: MediaType.manifest });
}
