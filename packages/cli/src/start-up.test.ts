import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { commandGroups } from './help/groups.ts';
import { overview } from './help/overview.ts';
import { commandSummaries } from './help/summaries.ts';
import { ociProgram } from './testing/oci.testkit.ts';

const run = promisify(execFile);

describe('the cache of compiled code, which is run', {
  skip: process.platform !== 'linux' && 'needs Linux',
}, () => {
  let directory: string;
  let caches: string;
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'oci-start-test-'));
    caches = join(directory, 'home/.cache');
    await mkdir(caches, { recursive: true, mode: 0o700 });
  });
  after(() => rm(directory, { recursive: true, force: true }));

  const isUsed = async (): Promise<boolean> => {
    const compiled = join(caches, 'oci/compile');
    const files = async (): Promise<number> => (await readdir(compiled).catch(() => [])).length;
    await rm(join(caches, 'oci'), { recursive: true, force: true });
    const env = { PATH: process.env['PATH'], HOME: join(directory, 'home') };
    const { stdout } = await run(process.execPath, [ociProgram, '--version'], { env });
    assert.match(stdout, /^oci \d/);
    return (await files()) > 0;
  };

  test('is below the home of its user', async () => assert.equal(await isUsed(), true));

  test('is not where others may write', async () => {
    await chmod(caches, 0o777);
    assert.equal(await isUsed(), false);
    await chmod(caches, 0o1777);
    assert.equal(await isUsed(), false);
    await chmod(caches, 0o700);
    await chmod(join(directory, 'home'), 0o777);
    assert.equal(await isUsed(), false);
    await chmod(join(directory, 'home'), 0o755);
    assert.equal(await isUsed(), true);
  });

  test('is not behind a link', async () => {
    await rm(caches, { recursive: true });
    await mkdir(join(directory, 'elsewhere'));
    await symlink(join(directory, 'elsewhere'), caches);
    assert.equal(await isUsed(), false);
  });
});

test('every command that is shown is in one group of the overview', async () => {
  const shown = Object.keys(await commandSummaries());
  const grouped = commandGroups.flatMap(({ commands }) => commands);
  assert.deepEqual(
    shown.filter((name) => grouped.filter((other) => other === name).length !== 1),
    [],
  );
});

test('the overview fits the terminal', async () => {
  const summaries = await commandSummaries();
  for (const columns of [60, 80, 200]) {
    const text = overview(summaries, { version: '1.2.3', columns });
    const wide = text.split('\n').filter((line) => line.startsWith('  ') && line.length > columns);
    assert.deepEqual(wide, []);
  }
});
