import assert from 'node:assert/strict';
import { mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { parsePlatform } from '@ocijs/image';
import { app, filesOf, place, refused } from '../../testing/node-place.ts';
import { publishedFiles, writeFiles } from '../../testing/node-shop.ts';

describe('what is refused', () => {
  test('projects that are none, and lock files that are missing or of something else', async () => {
    await using at = await place(app);
    const lock = join(at.directory, 'package-lock.json');
    const text = await readFile(lock, 'utf8');
    await refused(
      at.build({ directory: `${at.directory}/none` }),
      'ERR_OCI_NODE_PROJECT_INVALID',
      /none does not exist/,
    );
    await refused(
      at.build({ directory: `${at.directory}/node_modules` }),
      'ERR_OCI_NODE_PROJECT_INVALID',
      /no package.json/,
    );
    await writeFile(lock, text.replaceAll('^1.0.0', '^0.9.0'));
    await refused(at.build(), 'ERR_OCI_NODE_LOCK_DRIFT', /a@\^1.0.0, the lock file has \^0.9.0/);
    await writeFile(lock, text);
    await writeFile(join(at.directory, 'yarn.lock'), '');
    await refused(
      at.build(),
      'ERR_OCI_NODE_LOCK_INVALID',
      /several lock files: package-lock.json, yarn.lock/,
    );
    await rm(lock);
    await rm(join(at.directory, 'yarn.lock'));
    await refused(at.build(), 'ERR_OCI_NODE_LOCK_MISSING', /no lock file/);
  });

  test('packages that are missing, or other ones', async () => {
    await using at = await place(app);
    const manifest = join(at.directory, 'node_modules/a/package.json');
    await writeFile(manifest, '{"name":"a","version":"1.3.0"}');
    await refused(
      at.build(),
      'ERR_OCI_NODE_NOT_INSTALLED',
      /a is of version 1.3.0 in node_modules, and 1.2.0 in package-lock.json/,
    );
    await writeFile(manifest, '{"name":"x","version":"1.2.0"}');
    await refused(at.build(), 'ERR_OCI_NODE_NOT_INSTALLED', /a is x in node_modules/);
    await rm(join(at.directory, 'node_modules/a'), { recursive: true });
    await refused(at.build(), 'ERR_OCI_NODE_NOT_INSTALLED', /a is not in node_modules/);
    await writeFile(join(at.directory, '.pnp.cjs'), '');
    await refused(at.build(), 'ERR_OCI_NODE_NOT_INSTALLED', /Plug'n'Play/);
  });

  test('links that lead out of the project', async () => {
    await using at = await place({
      ...app,
      '../outside/index.js': 'hunter2',
      '../outside/package.json': '{"name":"a","version":"1.2.0"}',
    });
    const link = async (path: string, target: string): Promise<void> => {
      await rm(join(at.directory, path), { recursive: true, force: true });
      await symlink(target, join(at.directory, path));
    };
    for (const target of ['../../outside', join(at.directory, '../outside')]) {
      await link('node_modules/a', target);
      await refused(at.build(), 'ERR_OCI_NODE_LINK_OUTSIDE', /node_modules\/a is a link to .*outside/);
    }
    await link('node_modules/a', 'b');
    await refused(at.build(), 'ERR_OCI_NODE_NOT_INSTALLED', /a is b/);
    await rm(join(at.directory, 'node_modules/a'));
    await writeFiles(at.directory, publishedFiles('node_modules/a', { name: 'a', version: '1.2.0' }));
    for (const path of ['node_modules/a/data', 'data'])
      for (const target of ['../../../outside/index.js', '/etc/passwd']) {
        await link(path, target);
        await refused(at.build(), 'ERR_OCI_NODE_LINK_OUTSIDE', /data is a link to/);
        await rm(join(at.directory, path));
      }
    await rm(join(at.directory, 'node_modules'), { recursive: true });
    await link('node_modules', '../outside');
    await refused(at.build(), 'ERR_OCI_NODE_LINK_OUTSIDE', /node_modules is a link/);
  });

  test('names of a lock file that lead elsewhere', async () => {
    const dependencies = { '../../../outside': '1' };
    await using at = await place({
      ...app,
      'package.json': JSON.stringify({ name: 'app', main: 'main.js', dependencies }),
      'package-lock.json': JSON.stringify({
        lockfileVersion: 3,
        packages: { '': { dependencies }, 'node_modules/../../../outside': { version: '1.0.0' } },
      }),
      '../outside/package.json': '{"name":"outside","version":"1.0.0"}',
    });
    await refused(at.build(), 'ERR_OCI_NODE_NOT_INSTALLED', /outside is not in node_modules/);
  });

  test('what an install script compiled for another platform', async () => {
    const elf = Buffer.alloc(64);
    elf.set([0x7f, 0x45, 0x4c, 0x46, 2, 1], 0);
    elf.writeUInt16LE(0xb7, 18);
    await using at = await place({
      ...app,
      'node_modules/a/binding.gyp': '{}',
      'node_modules/a/build/Makefile': 'at /home/me',
      'node_modules/a/build/Release/.keep': '',
    });
    const addon = join(at.directory, 'node_modules/a/build/Release/a.node');
    await writeFile(addon, elf);
    await refused(
      at.build(),
      'ERR_OCI_NODE_PLATFORM_MISMATCH',
      /a.node is for linux\/arm64, and the image for linux\/amd64/,
    );
    const there = await at.build({ platform: parsePlatform('linux/arm64') });
    const files = await filesOf(there);
    assert.ok(files['node_modules/a/build/Release/a.node']);
    assert.equal(files['node_modules/a/build/Makefile'], undefined);
    await rm(join(at.directory, 'node_modules/a/binding.gyp'));
    await at.build();
    assert.ok(at.events.some((event) => event.type === 'warning' && event.message.includes('a.node')));
    elf.writeUInt16LE(0x3e, 18);
    await mkdir(join(at.directory, 'node_modules/a/prebuilds'));
    await writeFile(join(at.directory, 'node_modules/a/prebuilds/x64.node'), elf);
    at.events.length = 0;
    await at.build();
    assert.ok(!at.events.some((event) => event.type === 'warning'));
  });

  test('a build that is called off', async () => {
    await using at = await place(app);
    const controller = new AbortController();
    controller.abort(new Error('called off'));
    await assert.rejects(at.build({ signal: controller.signal }), /called off/);
  });
});
