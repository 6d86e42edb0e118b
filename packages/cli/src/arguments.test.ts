import assert from 'node:assert/strict';
import { test } from 'node:test';
import { prepareArguments } from './arguments.ts';
import { COMMANDS } from './commands/index.ts';

const prepare = (line: string): Promise<string[]> => prepareArguments(line.split(' '), COMMANDS);

test('flags of the command in the container are kept from the parser', async () => {
  assert.deepEqual(await prepare('run --rm debian ls --help --json'), [
    'run',
    '--rm',
    '--',
    'debian',
    'ls',
    '--help',
    '--json',
  ]);
  assert.deepEqual(await prepare('run --help'), ['run', '--help']);
  assert.deepEqual(await prepare('run --bundle dir'), ['run', '--bundle', 'dir']);
  assert.deepEqual(await prepare('exec -it -u app web id -u'), [
    'exec',
    '-it',
    '-u',
    'app',
    '--',
    'web',
    'id',
    '-u',
  ]);
});

test('only run and exec end their flags at a positional', async () => {
  assert.deepEqual(await prepare('pull debian --json'), ['pull', 'debian', '--json']);
  assert.deepEqual(await prepare('rm web -f'), ['rm', 'web', '-f']);
});

test('a bare --tls-verify is true', async () => {
  assert.deepEqual(await prepare('tags --tls-verify debian'), ['tags', '--tls-verify=true', 'debian']);
  assert.deepEqual(await prepare('tags --tls-verify=false debian'), ['tags', '--tls-verify=false', 'debian']);
});

test('an unknown command is refused with a suggestion', async () => {
  const refusal = async (line: string, hint: RegExp): Promise<void> => {
    await assert.rejects(prepare(line), { code: 'ERR_OCI_USAGE', hint });
  };
  await refusal('pul debian', /did you mean `oci pull`\?/);
  await refusal('inpsect debian', /did you mean `oci inspect`\?/);
  await refusal('frobnicate', /oci --help/);
});

test('Docker flags that cannot be true are refused with the reason', async () => {
  for (const line of [
    'run --restart always nginx',
    'run --restart=always nginx',
    'run --link db nginx',
    'run --gpus all x',
  ]) {
    await assert.rejects(prepare(line), { code: 'ERR_OCI_USAGE', message: /is not supported$/ });
  }
  assert.deepEqual(await prepare('run nginx -p 80:80'), ['run', '--', 'nginx', '-p', '80:80']);
});

test('global flags may stand before the command', async () => {
  assert.deepEqual(await prepare('--store dir images --json'), ['images', '--store', 'dir', '--json']);
  assert.deepEqual(await prepare('--json run x ls'), ['run', '--json', '--', 'x', 'ls']);
  assert.deepEqual(await prepare('--help'), ['--help']);
});

test('help is a command too', async () => {
  assert.deepEqual(await prepare('help pull'), ['pull', '--help']);
  assert.deepEqual(await prepare('help'), ['--help']);
});
