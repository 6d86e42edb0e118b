import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { checkStore } from '@ocijs/image';
import { isOciError } from '@ocijs/image/errors';
import { scene, skip } from '../testing/scene.ts';

describe('build', { skip }, () => {
  test('a Dockerfile with steps of all kinds', async () => {
    await using at = await scene({ 'app/run.sh': '#!/bin/sh\n', 'app/notes.md': '#', 'other.txt': 'other' });
    const result = await at.build(
      [
        'FROM busybox AS build',
        'ARG VERSION=1',
        'WORKDIR /src',
        'COPY app .',
        'RUN echo "version $VERSION" > out && rm /tmp/old && echo $HOME',
        'FROM busybox',
        'COPY --from=build --chown=app /src/out /opt/',
        'COPY --exclude=**/*.md app /app/',
        'USER app',
        'ENV A=1 B=$A',
        'RUN id -u > /tmp/uid',
        'CMD ["cat", "/opt/out"]',
      ].join('\n'),
      { arguments: new Map([['VERSION', '2']]), labels: { x: 'y' }, names: ['result:1'] },
    );
    const files = await at.files(result);
    assert.equal(files['opt/out'], 'file 644 7:8');
    assert.equal(files['app/run.sh'], 'file 755 0:0');
    assert.equal(files['app/notes.md'], undefined);
    assert.equal(files['tmp/old'], 'file 644 0:0', 'another stage removed its own');
    assert.equal(files['tmp/uid'], 'file 644 7:8');
    for (const gone of ['proc', 'sys', 'dev', 'etc/resolv.conf', 'etc/hosts'])
      assert.equal(files[gone], undefined, gone);
    const { config } = result.image.config;
    assert.deepEqual(config?.Cmd, ['cat', '/opt/out']);
    assert.deepEqual(config?.Env?.slice(1), ['A=1', 'B=']);
    assert.deepEqual([config?.User, config?.Labels], ['app', { x: 'y' }]);
    assert.equal((await at.store.resolve('result:1'))?.digest, result.descriptor.digest);
  });

  test('the same build gives the same digest and runs nothing; a changed file runs what depends on it', async () => {
    const text = 'FROM busybox\nRUN echo one > /one\nCOPY a /a\nRUN cat /a > /b';
    await using at = await scene({ a: 'a' });
    const first = await at.build(text);
    assert.deepEqual(first.steps, { done: 3, cached: 0 });
    const second = await at.build(text);
    assert.deepEqual(second.steps, { done: 0, cached: 3 });
    assert.equal(second.descriptor.digest, first.descriptor.digest);
    const fresh = await at.build(text, { noCache: true });
    assert.equal(fresh.descriptor.digest, first.descriptor.digest);
    await writeFile(join(at.directory, 'context/a'), 'changed');
    assert.deepEqual((await at.build(text)).steps, { done: 2, cached: 1 });
  });

  test('a step that fails says what it printed, and leaves nothing behind', async () => {
    await using at = await scene();
    await assert.rejects(at.build('FROM busybox\nRUN echo before; echo why >&2; exit 3'), (error) => {
      assert.ok(isOciError(error, 'ERR_OCI_BUILD_STEP_FAILED'));
      assert.match(error.message, /exit code 3.*before.*why/s);
      return true;
    });
    const mounts = await readFile('/proc/self/mounts', 'utf8');
    assert.ok(!mounts.includes(at.directory));
  });

  test('secrets are in no layer, no history and no event', async () => {
    await using at = await scene();
    const text =
      'FROM busybox\nRUN --mount=type=secret,id=t --mount=type=secret,id=t,env=T [ "$T" = "$(cat /run/secrets/t)" ]';
    const secrets = new Map([['t', Buffer.from('hunter2')]]);
    const result = await at.build(text, { secrets });
    assert.ok(!JSON.stringify([at.events, result.image.config]).includes('hunter2'));
    assert.deepEqual(
      Object.keys(await at.files(result)).filter((path) => path.includes('secret')),
      [],
    );
    await assert.rejects(at.build('FROM busybox\nRUN --mount=type=secret,id=u,required true'), (error) =>
      isOciError(error, 'ERR_OCI_BUILD_SECRET_MISSING'),
    );
  });

  test('no link leads out of the context', async () => {
    await using at = await scene({
      out: '-> /etc',
      up: '-> ../../../etc/passwd',
      'd/in': '-> ../real',
      real: 'r',
    });
    const files = await at.files(await at.build('FROM scratch\nCOPY d /d/\nCOPY d/in /in'));
    assert.deepEqual(files, {
      '': files[''],
      d: 'directory 755 0:0',
      'd/in': 'symlink 777 0:0',
      in: 'file 644 0:0',
    });
    for (const name of ['out/passwd', 'up', '../../etc/passwd'])
      await assert.rejects(at.build(`FROM scratch\nCOPY ${name} /x`), (error) =>
        isOciError(error, 'ERR_OCI_BUILD_SOURCE_NOT_FOUND'),
      );
  });

  test('files of contexts, stages and images are seen without being copied', async () => {
    await using at = await scene({ 'src/a': 'a', 'src/skip/b': 'b', '.dockerignore': '**/skip' });
    const lines = [
      'FROM busybox AS other',
      'RUN echo stage > /s',
      'FROM busybox',
      'RUN --mount=type=bind,target=/src,rw cat /src/src/a; ls /src/src; echo new > /src/src/new',
      'RUN --mount=type=bind,from=other,source=/s,target=/x/s cat /x/s; ! echo new > /x/s',
      'RUN --mount=type=bind,from=busybox,source=/etc,target=/e ! echo new > /e/new',
    ];
    const result = await at.build(lines.join('\n'));
    const output = at.events.flatMap((event) =>
      event.type === 'step-output' && event.stream === 'stdout' ? [event.line] : [],
    );
    assert.deepEqual(output, ['aa', 'stage'], 'what is ignored is not seen');
    const files = await at.files(result);
    assert.deepEqual([files['src'], files['x'], files['e']], [undefined, undefined, undefined]);
    await assert.rejects(readFile(join(at.directory, 'context/src/new')));
    assert.equal((await at.build(lines.join('\n'))).steps.done, 0);
    await writeFile(join(at.directory, 'context/src/a'), 'b');
    assert.equal((await at.build(lines.join('\n'))).steps.done, 1, 'what is mounted is part of the key');
  });

  test('a cache outlives builds', async () => {
    await using at = await scene();
    for (const sharing of ['shared', 'locked', 'private']) {
      const text = (step: string): string =>
        `FROM busybox\nRUN --mount=type=cache,id=c-${sharing},target=/c,sharing=${sharing},mode=0700 ${step}`;
      await at.build(text('echo kept > /c/x'));
      await at.build(text('[ $(cat /c/x) = kept ]'));
    }
  });

  test('a cache may begin as a copy of files, and be a directory of a cache', async () => {
    await using at = await scene();
    const run = 'RUN --mount=type=cache,id=c,target=/c,from=base,source=/d';
    const text = (step: string): string =>
      `FROM busybox AS base\nRUN mkdir -p /d/e && echo a > /d/e/f\nFROM busybox\n${run} ${step}`;
    await at.build(text('[ "$(cat /c/e/f)" = a ] && echo b > /c/e/f'));
    await at.build(text('[ "$(cat /c/e/f)" = b ]'));
    await at.build('FROM busybox\nRUN --mount=type=cache,id=d,target=/c,source=x/y echo 1 > /c/z');
    await at.build('FROM busybox\nRUN --mount=type=cache,id=d,target=/c [ "$(cat /c/x/y/z)" = 1 ]');
    const link = 'FROM busybox\nRUN --mount=type=cache,id=d,target=/c ln -s /etc /c/out';
    await at.build(link);
    await assert.rejects(
      at.build('FROM busybox\nRUN --mount=type=cache,id=d,target=/c,source=out echo x > /c/leaked'),
      (error) => isOciError(error, 'ERR_OCI_BUILD_SOURCE_NOT_FOUND'),
    );
  });

  test('what cannot be done is refused, never left out', async () => {
    await using at = await scene();
    await assert.rejects(at.build('FROM busybox\nRUN --device=a.b/c,required true'), (error) =>
      isOciError(error, 'ERR_OCI_BUILD_UNSUPPORTED'),
    );
  });

  test('more rights are given only by the caller', async () => {
    await using at = await scene();
    const insecure = 'FROM busybox\nRUN --security=insecure grep CapEff /proc/self/status > /caps';
    const refused = (error: unknown): boolean => isOciError(error, 'ERR_OCI_BUILD_NOT_ALLOWED');
    await assert.rejects(at.build(insecure), refused);
    await assert.rejects(at.build('FROM busybox\nRUN --network=host true', { network: 'none' }), refused);
    const sets = async (text: string): Promise<string> => {
      const allow = new Set(['security.insecure'] as const);
      await at.build(`${text}\nRUN cat /caps`, { allow, noCache: true });
      const said = at.events.flatMap((event) => (event.type === 'step-output' ? [event.line] : []));
      return said.at(-1) ?? '';
    };
    const own = /CapBnd:\s*(\w+)/.exec(await readFile('/proc/self/status', 'utf8'))?.[1] ?? '';
    assert.ok((await sets(insecure)).endsWith(own));
    assert.ok(!(await sets(insecure.replace(' --security=insecure', ''))).endsWith(own));
  });

  test('a step that failed can be looked at before it is cleaned up', async () => {
    await using at = await scene();
    const seen: (number | string)[] = [];
    const failing = at.build('FROM busybox\nENV A=1\nRUN echo half > /done; exit 3', {
      onStepFailed: async ({ step, run }) => {
        const test = 'cat /done && [ $A = 1 ] && exit 42';
        seen.push(step, await run({ args: ['/bin/sh', '-c', test], stdio: 'ignore' }));
      },
    });
    await assert.rejects(failing, (error) => isOciError(error, 'ERR_OCI_BUILD_STEP_FAILED'));
    assert.deepEqual(seen, [2, 42]);
  });

  test('what a killed build left is removed by the next one, mounts included', async () => {
    await using at = await scene();
    const program = `
      import { openStore } from '@ocijs/image';
      import { build } from '@ocijs/build';
      const store = await openStore(${JSON.stringify(at.store.directory)});
      await build({
        store,
        dockerfile: 'FROM busybox\\nRUN echo one > /one\\nRUN echo ready; while true; do :; done',
        resolveImage: (name, { platform }) => store.image(name, { platform }),
        onEvent: (event) => event.type === 'step-output' && process.stdout.write(event.line),
      });`;
    const child = spawn(process.execPath, ['--conditions=source', '--input-type=module', '-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
      cwd: import.meta.dirname,
    });
    const closed = once(child, 'close');
    await Promise.race([once(child.stdout, 'data'), closed]);
    child.kill('SIGKILL');
    await closed;
    const builds = join(at.store.directory, 'builds');
    assert.equal((await readdir(builds)).length, 1);
    assert.deepEqual((await checkStore(at.store)).problems, []);
    const { steps } = await at.build('FROM busybox\nRUN echo one > /one\nRUN true');
    assert.deepEqual(steps, { done: 1, cached: 1 }, 'what was finished is not done again');
    assert.deepEqual(await readdir(builds), []);
    assert.ok(!(await readFile('/proc/self/mounts', 'utf8')).includes(at.directory));
  });

  test('an abort ends the running step', async () => {
    await using at = await scene();
    const controller = new AbortController();
    const running = at.build('FROM busybox\nRUN echo ready; while true; do :; done', {
      signal: controller.signal,
      onEvent: (event) => {
        if (event.type === 'step-output') controller.abort(new Error('enough'));
      },
    });
    await assert.rejects(running, /enough/);
  });
});
