import assert from 'node:assert/strict';
import { cp, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { buildLayer, checkStore, collectGarbage, openStore, type Store, writeImage } from '@ocijs/image';
import { push, save } from '@ocijs/registry';
import { startRegistry } from '@ocijs/registry/server';
import { belongings, leftovers } from '../kit/leftovers.ts';
import { noiseImage } from '../kit/pulls.ts';
import { findCommand, type Requirements } from '../kit/requirements.ts';
import { startSlowRelay } from '../kit/slow-relay.ts';
import { createKiller, duration, run, startVictim, type Victim } from './process.ts';

/** One thing to be killed in the middle of, again and again. */
export interface Scenario {
  readonly name: string;
  /** It takes root, and programs of this machine. */
  readonly requires?: Requirements;
  /** Prepares what all attempts share. `attempt` kills once and checks what is left; false: the process was faster. */
  prepare(directory: string): Promise<{ attempt(): Promise<boolean> } & AsyncDisposable>;
}

interface BlobStatus {
  readonly digest: string;
  readonly size: number;
  readonly status: string;
}

const name = 'example.com/app:v1';
const layers = { seeds: [1, 2, 3], bytes: 4_000_000 };
/** manifest, config and layers */
const blobCount = layers.seeds.length + 2;
/** Slow enough that most of the time is spent on moving bytes. */
const relayed = { bytesPerSecond: 20_000_000 };

async function soundStore(directory: string): Promise<void> {
  await using store = await openStore(directory);
  assert.deepEqual((await checkStore(store)).problems, [], `${directory} is sound`);
}

/** The whole image is there, and nothing else once garbage is collected. */
async function completeStore(directory: string, tag: string): Promise<void> {
  await soundStore(directory);
  await using store = await openStore(directory);
  assert.ok((await store.resolve(tag)) !== undefined, `${tag} has its name`);
  const { blobs, leftovers } = await collectGarbage(store, { graceMs: 0 });
  assert.deepEqual([blobs.length, blobs.every(({ kept }) => kept)], [blobCount, true]);
  const strange = leftovers.filter(({ reason }) => !reason.endsWith('of a process that ended'));
  assert.deepEqual(strange, [], 'what the killed process left was used by the next one');
}

async function sizesIn(directory: string): Promise<ReadonlyMap<string, number>> {
  const names = await readdir(directory).catch(() => []);
  const sizes = await Promise.all(
    names.map(
      async (each) => [each, (await stat(join(directory, each)).catch(() => ({ size: 0 }))).size] as const,
    ),
  );
  return new Map(sizes);
}

/** Blobs that were complete are not moved again. */
function onlyMissing(blobs: unknown, before: ReadonlyMap<string, number>): void {
  for (const { digest, size, status } of blobs as readonly BlobStatus[]) {
    const wasThere = before.get(digest.replace('sha256:', '')) === size;
    const isKept = status === 'reused' || status === 'exists';
    assert.equal(isKept, wasThere, `${digest} is ${status}, and was ${wasThere ? '' : 'not '}there before`);
  }
}

const blobsOf = (directory: string) => sizesIn(join(directory, 'blobs', 'sha256'));

async function sourceStore(directory: string): Promise<Store> {
  const store = await openStore(directory);
  await noiseImage(store, { name, ...layers });
  return store;
}

const pulling: Scenario = {
  name: 'pull',
  async prepare(directory) {
    const disposal = new AsyncDisposableStack();
    const store = disposal.use(await sourceStore(join(directory, 'source')));
    const registry = disposal.use(await startRegistry({ store, readOnly: true }));
    const relay = disposal.use(await startSlowRelay(registry.host, relayed));
    const reference = `${relay.host}/${name}`;
    const target = join(directory, 'target');
    const kill = createKiller(await duration('pull', target, reference));
    return {
      async attempt() {
        await rm(target, { recursive: true, force: true });
        const killed = await kill(startVictim('pull', target, reference));
        await soundStore(target);
        const before = await blobsOf(target);
        onlyMissing(await run('pull', target, reference), before);
        await completeStore(target, reference);
        return killed;
      },
      [Symbol.asyncDispose]: () => disposal.disposeAsync(),
    };
  },
};

const loading: Scenario = {
  name: 'load',
  async prepare(directory) {
    const archive = join(directory, 'archive.tar');
    {
      await using store = await sourceStore(join(directory, 'source'));
      await save([name], archive, { store });
    }
    const target = join(directory, 'target');
    const kill = createKiller(await duration('load', target, archive));
    return {
      async attempt() {
        await rm(target, { recursive: true, force: true });
        const killed = await kill(startVictim('load', target, archive));
        await soundStore(target);
        const before = await blobsOf(target);
        onlyMissing(await run('load', target, archive), before);
        await completeStore(target, name);
        return killed;
      },
      [Symbol.asyncDispose]: async () => undefined,
    };
  },
};

const collecting: Scenario = {
  name: 'gc',
  async prepare(directory) {
    const template = join(directory, 'template');
    const target = join(directory, 'target');
    const garbage = 150;
    {
      await using store = await sourceStore(template);
      for (let index = 0; index < garbage; index++) {
        const body = Buffer.from(`garbage ${index}`);
        const layer = await buildLayer([{ header: { name: 'file' }, body }], { compression: 'none' });
        await writeImage(store, { layers: [layer], author: String(index) });
      }
    }
    const renew = async (): Promise<void> => {
      await rm(target, { recursive: true, force: true });
      await cp(template, target, { recursive: true, preserveTimestamps: true });
    };
    await renew();
    const kill = createKiller(await duration('gc', target));
    return {
      async attempt() {
        await renew();
        const killed = await kill(startVictim('gc', target));
        await soundStore(target);
        const left = (await blobsOf(target)).size;
        assert.equal(await run('gc', target), left - blobCount, 'the next run removes what is left');
        await completeStore(target, name);
        return killed;
      },
      [Symbol.asyncDispose]: async () => undefined,
    };
  },
};

const pushing: Scenario = {
  name: 'push',
  async prepare(directory) {
    const disposal = new AsyncDisposableStack();
    const source = join(directory, 'source');
    await (await sourceStore(source))[Symbol.asyncDispose]();
    const served = join(directory, 'served');
    const pushOnce = async (work: (destination: string) => Promise<boolean>): Promise<boolean> => {
      await using store = await openStore(served);
      await using registry = await startRegistry({ store });
      await using relay = await startSlowRelay(registry.host, relayed);
      return await work(`${relay.host}/app:v1`);
    };
    let took = 0;
    await pushOnce(async (destination) => {
      took = await duration('push', source, name, destination);
      return true;
    });
    const kill = createKiller(took);
    return {
      async attempt() {
        await rm(served, { recursive: true, force: true });
        const killed = await pushOnce((destination) => kill(startVictim('push', source, name, destination)));
        await soundStore(served);
        const before = await blobsOf(served);
        await pushOnce(async (destination) => {
          onlyMissing(await run('push', source, name, destination), before);
          return true;
        });
        await completeStore(served, 'app:v1');
        await soundStore(source);
        return killed;
      },
      [Symbol.asyncDispose]: () => disposal.disposeAsync(),
    };
  },
};

const serving: Scenario = {
  name: 'serve',
  async prepare(directory) {
    const source = await sourceStore(join(directory, 'source'));
    const served = join(directory, 'served');
    /** Pushes to a registry in a process of its own, behind a relay. */
    const withServer = async <T>(work: (server: Victim, destination: string) => Promise<T>): Promise<T> => {
      const server = startVictim('serve', served);
      try {
        await using relay = await startSlowRelay(String(await server.result), relayed);
        return await work(server, `${relay.host}/app:v1`);
      } finally {
        server.child.kill('SIGKILL');
        const { stderr } = await server.ended;
        assert.equal(stderr, '', 'the server had no failure of its own');
      }
    };
    let window = await withServer(async (_server, destination) => {
      const began = performance.now();
      await push(name, destination, { store: source });
      return performance.now() - began;
    });
    return {
      async attempt() {
        await rm(served, { recursive: true, force: true });
        const killed = await withServer(async (server, destination) => {
          const began = performance.now();
          const pushed = push(name, destination, { store: source, retry: 0 }).then(
            () => {
              window = Math.min(window, performance.now() - began);
              return false;
            },
            (error: { readonly code?: string }) => {
              const code = error.code ?? String(error);
              assert.match(code, /^ERR_OCI_REGISTRY_/, 'the client says what happened');
              return true;
            },
          );
          await Promise.race([pushed, sleep(Math.random() * window)]);
          server.child.kill('SIGKILL');
          return pushed;
        });
        await soundStore(served);
        const before = await blobsOf(served);
        await withServer(async (_server, destination) => {
          onlyMissing((await push(name, destination, { store: source })).blobs, before);
        });
        await completeStore(served, 'app:v1');
        return killed;
      },
      [Symbol.asyncDispose]: () => source[Symbol.asyncDispose](),
    };
  },
};

const building: Scenario = {
  name: 'build',
  requires: { root: true, commands: ['busybox'] },
  async prepare(directory) {
    const context = join(directory, 'context');
    await mkdir(context);
    await writeFile(join(context, 'Dockerfile'), storms);
    await writeFile(join(context, 'file'), 'a file');
    const [reference, template, target] = ['reference', 'template', 'target'].map((each) =>
      join(directory, each),
    );
    if (reference === undefined || template === undefined || target === undefined)
      throw new Error('three names');
    for (const store of [reference, template]) await busyboxStore(store);
    const expected = (await run('build', reference, context)) as { digest: string };
    const renew = async (): Promise<void> => {
      await rm(target, { recursive: true, force: true });
      await cp(template, target, { recursive: true, preserveTimestamps: true });
    };
    await renew();
    const kill = createKiller(await duration('build', target, context));
    return {
      async attempt() {
        await renew();
        const found = belongings(directory);
        const killed = await kill(startVictim('build', target, context));
        await soundStore(target);
        const finished = await finishedSteps(target);
        const { digest, cached } = (await run('build', target, context)) as {
          digest: string;
          cached: number;
        };
        assert.equal(digest, expected.digest, 'the same image as if nothing had happened');
        assert.ok(cached >= finished, `${finished} steps were finished, and ${cached} of them reused`);
        await soundStore(target);
        assert.deepEqual(await readdir(join(target, 'builds')), [], 'nothing of the killed build is left');
        const { mounts, cgroups } = await leftovers(directory, found);
        assert.deepEqual(
          { mounts, cgroups },
          { mounts: [], cgroups: [] },
          'nothing is mounted, no group is left',
        );
        return killed;
      },
      [Symbol.asyncDispose]: async () => undefined,
    };
  },
};

/** Each step has one key. */
const storms = `FROM busybox AS storm
RUN mkdir /storm; for n in $(seq 400); do echo $n > /storm/$n; done
RUN for n in $(seq 1 3 400); do rm /storm/$n; done
FROM busybox
WORKDIR /work
COPY file /file
RUN for n in $(seq 300); do mkdir -p /work/$n/$n; done
RUN --mount=type=bind,from=storm,source=/storm,target=/storm cp -r /storm /copy
`;

async function finishedSteps(store: string): Promise<number> {
  const names = await readdir(join(store, 'build-cache')).catch(() => []);
  return names.filter((each) => each.endsWith('.json')).length;
}

async function busyboxStore(directory: string): Promise<void> {
  await using store = await openStore(directory);
  const body = await readFile(findCommand('busybox') ?? '');
  const applets = ['sh', 'cp', 'echo', 'mkdir', 'rm', 'seq'];
  const layer = await buildLayer([
    { header: { name: 'bin/', type: 'directory' } },
    { header: { name: 'bin/busybox', mode: 0o755, size: body.length }, body },
    ...applets.map((each) => ({
      header: { name: `bin/${each}`, type: 'symlink' as const, linkname: 'busybox' },
    })),
  ]);
  await writeImage(store, { name: 'busybox', layers: [layer] });
}

/** Everything that writes into a store, and the server that does so for others. */
export const scenarios: readonly Scenario[] = [pulling, loading, collecting, pushing, serving, building];
