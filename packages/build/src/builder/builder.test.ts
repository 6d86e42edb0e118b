import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { writeFiles } from '../testing/node-shop.ts';
import { scene, skip } from '../testing/scene.ts';
import { from } from './builder.ts';

test('a builder makes what the Dockerfile of the same steps makes, and uses its cache', async () => {
  await using at = await scene({ 'app/a': 'a', 'app/b.md': 'b' });
  const dockerfile = [
    'FROM scratch AS files',
    'COPY --chown=1:2 app /app/',
    'FROM scratch',
    'COPY --from=files --chmod=600 /app/a /x',
    'ENV A=1 B="two words"',
    'WORKDIR /w',
    'USER 5',
    'EXPOSE 80',
    'ENTRYPOINT ["/e"]',
    'CMD ["c"]',
  ].join('\n');
  const written = await at.build(dockerfile);
  const files = from('scratch').copy('app', '/app/', { owner: '1:2' });
  const made = await from('scratch')
    .copy('/app/a', '/x', { from: files, mode: '600' })
    .config({
      environment: { A: '1', B: 'two words' },
      workingDirectory: '/w',
      user: '5',
      ports: ['80'],
      entrypoint: ['/e'],
      command: ['c'],
    })
    .build({ store: at.store, context: at.context });
  assert.deepEqual(made.image.config.config, written.image.config.config);
  assert.deepEqual(made.image.manifest.layers, written.image.manifest.layers);
  assert.ok(made.steps.cached > 0);
});

test('what a program passes is meant as it is', async () => {
  await using at = await scene({ "it's $HOME": 'x' });
  const value = `$A \${B} "q" 'single' \\n\n`;
  const { image } = await from('scratch')
    .config({ environment: { A: 'a', V: value }, labels: { l: value } })
    .copy("it's $HOME", "/to it's $HOME")
    .build({ store: at.store, context: at.context });
  assert.equal(image.config.config?.Env?.at(-1), `V=${value}`);
  assert.equal(image.config.config?.Labels?.['l'], value);
});

test('builders are values: what they share is built once', async () => {
  await using at = await scene({ a: 'a', b: 'b' });
  const base = from('scratch').copy('a', '/a');
  const options = { store: at.store, context: at.context };
  const [one, two] = [base.copy('b', '/b'), base.config({ user: '7' })];
  assert.equal((await one.build(options)).image.manifest.layers.length, 2);
  const second = await two.build(options);
  assert.deepEqual([second.image.manifest.layers.length, second.steps.cached], [1, 1]);
  const both = await from(one).copy('/a', '/c', { from: two }).build(options);
  assert.equal(both.image.manifest.layers.length, 3);
});

describe('RUN', { skip }, () => {
  test('commands with mounts', async () => {
    await using at = await scene({ a: 'text' });
    const { image } = await from('busybox')
      .run('echo "$0" > /shell')
      .run(['cat', '/mnt/a'], { network: 'none', mounts: [{ type: 'bind', target: '/mnt' }] })
      .build({ store: at.store, context: at.context, onEvent: (event) => at.events.push(event) });
    assert.equal(image.config.history?.at(-1)?.created_by, 'RUN ["cat","/mnt/a"]');
    assert.ok(at.events.some((event) => event.type === 'step-output' && event.line === 'text'));
  });

  test("the README's programs run as they are written there", async () => {
    await using at = await scene({ 'src/a': 'a', Dockerfile: 'FROM busybox\nCOPY src /src\nRUN ls /src\n' });
    const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
    const programs = [...readme.matchAll(/```js\n([\s\S]*?)```/g)].map(([, program = '']) => program);
    assert.ok(programs.length >= 2);
    await writeFiles(join(at.directory, 'project'), {
      'package.json': '{"name":"app","main":"main.js"}',
      'package-lock.json': '{"lockfileVersion":3,"packages":{"":{}}}',
      'main.js': '',
    });
    for (const program of programs) {
      const args = ['--conditions=source', '--input-type=module', '-e', program];
      const output = execFileSync(process.execPath, args, {
        cwd: fileURLToPath(new URL('../..', import.meta.url)),
        env: {
          ...process.env,
          OCI_STORE: join(at.directory, 'store'),
          CONTEXT: join(at.directory, 'context'),
          PROJECT: join(at.directory, 'project'),
        },
        encoding: 'utf8',
      });
      assert.match(output, /^sha256:[0-9a-f]{64}$/m);
    }
  });
});
