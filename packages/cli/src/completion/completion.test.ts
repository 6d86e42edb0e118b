import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { buildLayer, openStore, writeImage } from '@ocijs/image';
import { openContainers } from '../containers/collection.ts';
import { writeRecord } from '../containers/record.ts';
import { ociProgram, type TestHome, testHome } from '../testing/oci.testkit.ts';

const run = promisify(execFile);
const image = 'example.test:5000/team/app:v1';
const container = 'brave_web';

const without = (shell: string): string | false =>
  existsSync(`/usr/bin/${shell}`) || existsSync(`/bin/${shell}`) ? false : `needs ${shell}, not installed`;

/** What was typed, and what the shell makes of it at a tab. */
const cases = [
  { typed: 'oci unpau', completed: 'unpause' },
  { typed: 'oci pull --expect-d', completed: '--expect-digest' },
  { typed: 'oci pull --progress js', completed: 'json' },
  { typed: 'oci inspect --store x example', completed: image },
  { typed: 'oci inspect example.test:5000/te', completed: image },
  { typed: 'oci logs bra', completed: container },
  { typed: 'oci completion fi', completed: 'fish' },
] as const;

describe('completion in the shells themselves', { timeout: 300_000 }, () => {
  let home: TestHome;
  let env: NodeJS.ProcessEnv;

  const scriptFor = (shell: string): string => join(home.directory, `completion.${shell}`);

  before(async () => {
    home = await testHome();
    await using store = await openStore(join(home.directory, 'store'));
    const layer = await buildLayer([{ header: { name: 'file', type: 'file' }, body: Buffer.from('x') }]);
    await writeImage(store, { layers: [layer], name: image });
    const id = 'ab'.repeat(32);
    const directory = await openContainers(store.directory).claim(id, container);
    await writeRecord(directory, {
      id,
      name: container,
      image: { name: image, digest: layer.descriptor.digest },
      command: ['true'],
      created: new Date().toISOString(),
      root: join(home.directory, 'state'),
      remove: false,
      bundle: join(directory, 'bundle'),
    });
    const bin = join(home.directory, 'bin');
    await mkdir(bin);
    await writeFile(join(bin, 'oci'), `#!/bin/sh\nexec '${process.execPath}' '${ociProgram}' "$@"\n`);
    await chmod(join(bin, 'oci'), 0o755);
    env = { ...home.env, PATH: `${bin}:${process.env['PATH']}`, HOME: home.directory, TERM: 'dumb' };
    for (const shell of ['bash', 'zsh', 'fish']) {
      const { status, stdout, stderr } = await home.oci('completion', shell);
      assert.equal(status, 0, stderr);
      await writeFile(scriptFor(shell), stdout);
    }
  });
  after(() => home?.[Symbol.asyncDispose]());

  test('bash', { skip: without('bash') }, async () => {
    await run('bash', ['-n', scriptFor('bash')]);
    for (const { typed, completed } of cases) {
      // COMP_WORDS as readline makes them of the line.
      const program = `source "$1"; line=$2; COMP_LINE=$line COMP_POINT=\${#line}
        read -ra COMP_WORDS <<<"\${line//:/ : }"; COMP_CWORD=$((\${#COMP_WORDS[@]} - 1)); _oci; printf '%s\\n' "\${COMPREPLY[@]}"`;
      const { stdout } = await run('bash', ['-c', program, 'bash', scriptFor('bash'), typed], { env });
      // Behind a colon, readline replaces only what follows it.
      const colon = typed.lastIndexOf(':');
      const prefix = colon < 0 ? '' : typed.slice(typed.lastIndexOf(' ') + 1, colon + 1);
      assert.equal(`${prefix}${stdout.trim()}`, completed, typed);
    }
  });

  test('bash, at a tab in a terminal', { skip: without('bash') || without('script') }, async () => {
    const rc = join(home.directory, 'bashrc');
    await writeFile(rc, `PS1=; source '${scriptFor('bash')}'\n`);
    const keys = 'oci tag example.test:5000/te\t b:2; oci images -q | wc -l; exit\n';
    await writeFile(join(home.directory, 'keys'), keys);
    const command = `script -qec "bash --rcfile '${rc}' --noprofile -i" /dev/null < '${home.directory}/keys'`;
    await run('sh', ['-c', command], { env });
    assert.match((await home.oci('images')).stdout, /^\S*b:2 /m, 'the line with the whole name was run');
    await home.oci('rmi', 'b:2');
  });

  test('zsh, at a tab in a terminal', { skip: without('zsh') }, async () => {
    await run('zsh', ['-n', scriptFor('zsh')]);
    const lines = cases.map(({ typed }) => `ask ${JSON.stringify(typed)}`).join('\n');
    const program = `
      zmodload zsh/zpty
      zpty -b z 'PS1= zsh -f -i' || exit 1
      zpty -w z 'autoload -Uz compinit; compinit -u -D; source ${scriptFor('zsh')}; PS1=; unsetopt beep; print -r -- REA""DY'
      zpty -r -m z answer '*READY*' || exit 1
      ask() {
        local answer
        # The whole line is printed back by a widget, so that nothing has to be read off a screen.
        zpty -w -n z "$1"$'\\t\\x18'
        zpty -r -m z answer '*<<*>>*' || exit 1
        answer=\${answer##*<<}; print -r -- "\${answer%%>>*}"
      }
      zpty -w z 'report() { print -r -- "<<$BUFFER>>"; BUFFER=; }; zle -N report; bindkey "^X" report; print -r -- REA""DY2'
      zpty -r -m z answer '*READY2*' || exit 1
      ${lines}
      zpty -d z`;
    const { stdout } = await run('zsh', ['-fc', program], { env, timeout: 200_000 });
    const answers = stdout.trim().split('\n');
    for (const [index, { typed, completed }] of cases.entries()) {
      const answer = answers[index]?.replaceAll('\\', '').trim().replace(/[= ]$/, '') ?? '';
      assert.ok(answer.endsWith(` ${completed}`), `${typed} became ${answer}`);
    }
  });

  test('fish', { skip: without('fish') }, async () => {
    for (const { typed, completed } of cases) {
      const program = `source '${scriptFor('fish')}'; complete -C '${typed}'`;
      const { stdout } = await run('fish', ['--no-config', '-c', program], { env });
      const words = stdout.split('\n').map((line) => line.split('\t')[0]);
      assert.ok(words.includes(completed), `${typed}: ${stdout.slice(0, 300)}`);
    }
  });

  test('the names are asked for without a word on stderr when there is no store', async () => {
    const { status, stdout, stderr } = await home.oci(
      'completion',
      '--list',
      'images',
      '--store',
      join(home.directory, 'none'),
    );
    assert.deepEqual({ status, stdout, stderr }, { status: 0, stdout: '', stderr: '' });
  });
});
