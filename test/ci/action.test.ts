import assert from 'node:assert/strict';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { command } from '../kit/command.ts';
import { temporaryDirectory } from '../kit/temporary.ts';

const script = fileURLToPath(new URL('../../scripts/action.sh', import.meta.url));
const digest = `sha256:${'1'.repeat(64)}`;

/** Runs the action's script with an `oci` that only notes what it is asked for, and answers every pull with `digest`. */
async function runAction(inputs: Readonly<Record<string, string>>) {
  await using temporary = await temporaryDirectory();
  const { path } = temporary;
  await mkdir(`${path}/bundle`);
  await writeFile(`${path}/asked`, '');
  await writeFile(`${path}/outputs`, '');
  await writeFile(
    `${path}/oci`,
    `#!/bin/sh\necho "$@" >>'${path}/asked'\ncase $1 in pull) echo ${digest} ;; esac\n`,
  );
  await chmod(`${path}/oci`, 0o755);
  const env = {
    PATH: `${path}:${process.env['PATH']}`,
    GITHUB_OUTPUT: `${path}/outputs`,
    INPUT_BUNDLE: `${path}/bundle`,
    ...inputs,
  };
  const { status, stdout } = await command('sh', [script], { cwd: path, env });
  const asked = (await readFile(`${path}/asked`, 'utf8')).split('\n').filter(Boolean);
  return { status, stdout, asked, outputs: await readFile(`${path}/outputs`, 'utf8') };
}

for (const image of ['localhost:5000/team/app:v1', `localhost:5000/team/app:v1@sha256:${'2'.repeat(64)}`]) {
  test(`what is verified and unpacked is what was pulled, wherever the tag moves: ${image.slice(0, 30)}`, async () => {
    const { status, asked } = await runAction({ INPUT_IMAGE: image, INPUT_KEY: 'key.pub' });
    assert.equal(status, 0);
    const [pull, verify, unpack] = asked;
    assert.equal(asked.length, 3);
    assert.ok(pull?.endsWith(` ${image}`), pull);
    const pinned = `localhost:5000/team/app@${digest}`;
    assert.ok(verify?.endsWith(` --key key.pub ${pinned}`), verify);
    assert.ok(unpack?.includes(` ${pinned} `), unpack);
  });
}

test('no input becomes a flag, a command of the workflow or another output', async () => {
  for (const [name, value] of [
    ['INPUT_IMAGE', '--store=/tmp'],
    ['INPUT_IMAGE', 'app\n::add-path::/tmp'],
    ['INPUT_DIGEST', `${digest}\n::stop-commands::x`],
    ['INPUT_PLATFORM', '--help'],
    ['INPUT_BUNDLE', 'x\ndigest=sha256:0'],
  ] as const) {
    const { status, stdout, asked, outputs } = await runAction({ INPUT_IMAGE: 'app', [name]: value });
    assert.deepEqual([status, stdout, asked, outputs], [2, '', [], ''], `${name}=${value}`);
  }
});
