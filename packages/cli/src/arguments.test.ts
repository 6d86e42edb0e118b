import assert from 'node:assert/strict';
import { test } from 'node:test';
import { prepareArguments } from './arguments.ts';
import { COMMANDS } from './commands/index.ts';

const prepare = (line: string): string[] => prepareArguments(line.split(' '), COMMANDS);

test('flags of the command in the container are kept from the parser', () => {
  assert.deepEqual(prepare('run --rm debian ls --help --json'), [
    'run',
    '--rm',
    '--',
    'debian',
    'ls',
    '--help',
    '--json',
  ]);
  assert.deepEqual(prepare('run --help'), ['run', '--help']);
  assert.deepEqual(prepare('run --bundle dir'), ['run', '--bundle', 'dir']);
  assert.deepEqual(prepare('exec -it -u app web id -u'), [
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

test('only run and exec end their flags at a positional', () => {
  assert.deepEqual(prepare('pull debian --json'), ['pull', 'debian', '--json']);
  assert.deepEqual(prepare('rm web -f'), ['rm', 'web', '-f']);
});

test('a bare --tls-verify is true', () => {
  assert.deepEqual(prepare('tags --tls-verify debian'), ['tags', '--tls-verify=true', 'debian']);
  assert.deepEqual(prepare('tags --tls-verify=false debian'), ['tags', '--tls-verify=false', 'debian']);
});

test('an unknown command is refused with a suggestion', () => {
  const refusal = (line: string, hint: RegExp): void => {
    assert.throws(() => prepare(line), { code: 'ERR_OCI_USAGE', hint });
  };
  refusal('pul debian', /did you mean `oci pull`\?/);
  refusal('inpsect debian', /did you mean `oci inspect`\?/);
  refusal('frobnicate', /oci --help/);
  refusal('manifest a b', /oci --help/);
});

test('Docker flags that cannot be true are refused with the reason', () => {
  for (const line of [
    'run -p 80:80 nginx',
    'run --publish=80:80 nginx',
    'run --init nginx',
    'run --gpus all x',
  ]) {
    assert.throws(() => prepare(line), { code: 'ERR_OCI_USAGE', message: /is not supported$/ });
  }
  assert.deepEqual(prepare('run nginx -p 80:80'), ['run', '--', 'nginx', '-p', '80:80']);
});

test('global flags may stand before the command', () => {
  assert.deepEqual(prepare('--store dir images --json'), ['images', '--store', 'dir', '--json']);
  assert.deepEqual(prepare('--json run x ls'), ['run', '--json', '--', 'x', 'ls']);
  assert.deepEqual(prepare('--help'), ['--help']);
});

test('help is a command too', () => {
  assert.deepEqual(prepare('help pull'), ['pull', '--help']);
  assert.deepEqual(prepare('help'), ['--help']);
});
