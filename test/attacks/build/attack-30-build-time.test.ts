/**
 * Attack 30: mounts, contexts and repositories that lead out of where they belong (CVE-2024-23651, CVE-2024-23652, CVE-2024-1753,
 * CVE-2024-9407, CVE-2024-9675, CVE-2024-11218, GHSA-4c29-8rgm-jvjj).
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { makeArena, marker, skip } from './arena.ts';

const up = '../'.repeat(12);

describe('attack 30', { skip }, () => {
  test('the source of a bind mount is in its context or stage, whatever links say', async () => {
    await using at = await makeArena();
    symlinkSync(at.outside, join(at.context, 'absolute'));
    symlinkSync(`${up}${at.outside}`, join(at.context, 'relative'));
    const sources = ['absolute', 'relative/marker', `${up}${at.outside}`];
    for (const source of sources) {
      const { stdout, stderr } = await at.build(
        `FROM busybox\nRUN --mount=type=bind,source=${source},target=/m cat /m/marker /m || true\n`,
      );
      assert.ok(!`${stdout}${stderr}`.includes(marker), `${source}: ${stderr}`);
    }
    const stage = `FROM busybox AS one\nRUN ln -s ${at.outside} /l && ln -s ${up}${at.outside} /r\nFROM busybox\n`;
    for (const source of ['/l', '/r/marker']) {
      const mount = `--mount=type=bind,from=one,source=${source},target=/m`;
      const { stdout, stderr } = await at.build(`${stage}RUN ${mount} cat /m/marker /m || true\n`);
      assert.ok(!`${stdout}${stderr}`.includes(marker), `${source}: ${stderr}`);
    }
    assert.deepEqual(await at.damage(), []);
  });

  test('a cache mount stays among the caches, whatever its name, target and content', async () => {
    await using at = await makeArena();
    for (const mount of [
      `id=${up}${at.outside},target=/c`,
      'id=..,target=/c',
      `target=/${up}${at.outside}`,
    ]) {
      const { status, stderr } = await at.build(
        `FROM busybox\nRUN --mount=type=cache,${mount} ls / > /dev/null; echo x > /c/x || true\n`,
      );
      assert.equal(status, 0, `${mount}: ${stderr}`);
    }
    const { stdout, stderr } = await at.build(
      [
        'FROM busybox',
        `RUN --mount=type=cache,id=a,target=/c ln -sfn ${at.outside} /c/link`,
        'RUN --mount=type=cache,id=a,target=/c cat /c/link/marker; echo x > /c/link/new; true',
        'RUN --mount=type=cache,id=a,source=link,target=/c cat /c/marker; true',
      ].join('\n'),
    );
    assert.ok(!`${stdout}${stderr}`.includes(marker), stderr);
    assert.deepEqual(await at.damage(), []);
  });

  test('what was made to mount on is not removed by way of a link', async () => {
    await using at = await makeArena();
    const empty = join(at.outside, 'empty');
    const { status, stderr } = await at.build(
      `FROM busybox\nRUN --mount=type=tmpfs,target=/p/empty mv /p /q; ln -s ${at.outside} /p; ls /q\n`,
    );
    assert.equal(status, 0, stderr);
    assert.ok(existsSync(empty));
    assert.deepEqual(await at.damage(), []);
  });

  test('a directory of the context that becomes a link while it is read', async () => {
    await using at = await makeArena();
    const [path, kept, link] = ['d', 'kept', 'link'].map((name) => join(at.context, name));
    assert.ok(path && kept && link);
    mkdirSync(path);
    writeFileSync(join(path, 'marker'), 'inside');
    let swaps = 0;
    const timer = setInterval(() => {
      // Renames that leave no moment without the name but one.
      if (swaps % 2 === 0) {
        symlinkSync(at.outside, link);
        renameSync(path, kept);
        renameSync(link, path);
      } else {
        rmSync(path);
        renameSync(kept, path);
      }
      swaps += 1;
    }, 1);
    try {
      for (let round = 0; round < 4; round++) {
        const name = `raced-${round}`;
        const { status } = await at.build('FROM scratch\nCOPY d /d/\n', '--no-cache', '-t', name);
        if (status !== 0) continue;
        const { stdout } = await at.oci('cat', name, '/d/marker');
        assert.ok(!stdout.includes(marker));
      }
    } finally {
      clearInterval(timer);
    }
    assert.ok(swaps > 10);
    assert.deepEqual(await at.damage(), []);
  });

  test('a repository runs nothing on this host', async () => {
    await using at = await makeArena();
    const made = join(at.outside, 'made');
    for (const location of [
      `ext::sh -c "touch ${made}"`,
      `git://127.0.0.1:1/x#--upload-pack=touch ${made}`,
      `git@-oProxyCommand=touch ${made}:x/y`,
      `ssh://-oProxyCommand=touch%20${made}/x.git`,
      `file://${at.outside}/x.git`,
    ]) {
      const { status, stderr } = await at.oci('build', location);
      assert.notEqual(status, 0, `${location}: ${stderr}`);
      assert.ok(!existsSync(made), location);
    }
    assert.deepEqual(await at.damage(), []);
  });

  test('a frontend that a Dockerfile asks for is neither fetched nor run', async () => {
    await using at = await makeArena();
    let requests = 0;
    const server = createServer((_request, response) => {
      requests += 1;
      response.writeHead(404).end();
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    try {
      const { port } = server.address() as AddressInfo;
      const { status, stderr } = await at.build(`# syntax=127.0.0.1:${port}/evil\nFROM busybox\nRUN true\n`);
      assert.equal(status, 0, stderr);
      assert.equal(requests, 0);
    } finally {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    }
  });
});
