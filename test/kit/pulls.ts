import { type ChildProcess, spawn } from 'node:child_process';
import { createCipheriv } from 'node:crypto';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildLayer, type Descriptor, type ImageStore, writeImage } from '@ocijs/image';
import type { TransferReport } from '@ocijs/registry';

const puller = fileURLToPath(new URL('./puller.ts', import.meta.url));

/** A process that pulls. */
export interface Puller {
  readonly child: ChildProcess;
  /** Resolves when the process has ended, also when it failed. */
  readonly ended: Promise<{
    readonly status: number | null;
    readonly stderr: string;
    readonly reports: readonly TransferReport[];
  }>;
}

/** Starts a process that pulls the references into the store in `directory`; compiled code is kept with the tests' own, or beside it. */
export function startPuller(directory: string, references: readonly string[]): Puller {
  const child = spawn(process.execPath, ['--conditions=source', puller, directory, ...references], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { NODE_COMPILE_CACHE: join(dirname(directory), 'compiled'), ...process.env },
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (data: Buffer) => {
    stdout += data.toString();
  });
  child.stderr.on('data', (data: Buffer) => {
    stderr += data.toString();
  });
  const ended = async () => {
    const [status] = (await once(child, 'close')) as [number | null];
    const lines = stdout.split('\n').slice(0, -1);
    return { status, stderr, reports: lines.map((line) => JSON.parse(line) as TransferReport) };
  };
  return { child, ended: ended() };
}

/** An image whose layers are noise of the given seeds: layers of equal seed are equal blobs. */
export async function noiseImage(
  store: ImageStore,
  {
    name,
    seeds,
    bytes,
  }: { readonly name: string; readonly seeds: readonly number[]; readonly bytes: number },
): Promise<Descriptor> {
  const layers = await Promise.all(
    seeds.map((seed) => {
      const cipher = createCipheriv('aes-128-ctr', Buffer.alloc(16, seed), Buffer.alloc(16));
      const body = cipher.update(Buffer.alloc(bytes));
      const header = { name: `noise-${seed}`, type: 'file' as const, mode: 0o644, size: body.length };
      return buildLayer([{ header, body }], { compression: 'none' });
    }),
  );
  return writeImage(store, { name, layers, author: name });
}
