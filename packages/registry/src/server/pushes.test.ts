import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { checkStore, createLayout, type Descriptor } from '@ocijs/image';
import { makeImage, temporaryStore } from '../images.testkit.ts';
import { pull, push, RegistryError } from '../index.ts';
import { startRegistry } from './index.ts';

const env = { HOME: '/nonexistent' };
const program = fileURLToPath(new URL('./serve.testkit.ts', import.meta.url));

test('many clients push overlapping images at once', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'oci-server-test-'));
  try {
    await using served = await createLayout(join(directory, 'layout'));
    await using registry = await startRegistry({ store: served, requireContent: true });
    await using source = await temporaryStore();
    const images: Descriptor[] = [];
    for (let seed = 0; seed < 4; seed++) images.push(await makeImage(source.store, { seed }));
    await Promise.all(
      Array.from({ length: 16 }, async (_, client) => {
        const image = images[client % images.length];
        assert.ok(image !== undefined);
        await using own = await temporaryStore();
        const name = `${registry.host}/team${client % 2}/app:v${client}`;
        const opened = await source.store.image(image);
        await push(opened, name, { env });
        const pulled = await pull(name, { store: own.store, env });
        assert.equal(pulled.report.digest, image.digest);
      }),
    );
    const report = await checkStore(served);
    assert.deepEqual(report.problems, []);
    assert.equal((await served.list()).length, 16);
  } finally {
    await rm(directory, { recursive: true });
  }
});

test('a server that is killed during pushes leaves a sound layout and no file behind', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'oci-server-test-'));
  try {
    const layout = join(directory, 'layout');
    await using source = await temporaryStore();
    const layers = [2_000_000, 2_000_000, 2_000_000, 2_000_000];
    let interrupted = 0;
    for (let round = 0; round < 5; round++) {
      const image = await makeImage(source.store, { layers, seed: round });
      const child = spawn(process.execPath, ['--conditions=source', program, layout], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const exited = once(child, 'exit');
      const [line] = (await once(child.stdout, 'data')) as [Buffer];
      const opened = await source.store.image(image);
      const name = `${line.toString().trim()}/team/app:v${round}`;
      // After another number of steps each time, so that it dies at another moment.
      let steps = 0;
      const onEvent = (): void => {
        if (++steps > round * 4) child.kill('SIGKILL');
      };
      try {
        await push(opened, name, { env, retry: 0, onEvent });
        child.kill('SIGKILL');
      } catch (error) {
        assert.ok(error instanceof RegistryError, String(error));
        interrupted++;
      }
      await exited;
      await using store = await createLayout(layout);
      assert.deepEqual((await checkStore(store)).problems, []);
    }
    assert.ok(interrupted > 0);
    await using store = await createLayout(layout);
    await using registry = await startRegistry({ store });
    await push(
      await source.store.image(await makeImage(source.store, { layers, seed: 1 })),
      `${registry.host}/team/app:last`,
      { env },
    );
    assert.deepEqual((await checkStore(store)).problems, []);
    const left = await readdir(join(layout, 'ingest')).catch(() => []);
    assert.deepEqual(
      left.filter((name) => name.startsWith('scratch-')),
      [],
    );
  } finally {
    await rm(directory, { recursive: true });
  }
});
