import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import { startInit } from './index.ts';
import { makeBundle, makeSpec, runScript, skipReason, startOptions } from './testing/bundle.ts';

const skip = skipReason();
const terminal = makeSpec({ process: { terminal: true, consoleSize: { height: 33, width: 44 } } });

test('a container has a terminal of its own, which the monitor relays', { skip }, async () => {
  using bundle = makeBundle();
  const script = 'tty; stty size; stat -c %t:%T /dev/console; echo err >&2; exit 5';
  const outcome = await runScript(bundle, script, { spec: terminal, stdio: ['ignore', 'pipe', 'pipe'] });
  assert.deepEqual(outcome, { exitCode: 5, stdout: '/dev/pts/0\r\n33 44\r\n88:0\r\nerr\r\n', stderr: '' });
});

test('a long output arrives whole', { skip }, async () => {
  using bundle = makeBundle();
  const { stdout } = await runScript(bundle, 'yes 0123456789 | head -20000', { spec: terminal });
  assert.equal(stdout.length, 20_000 * 12);
});

test('the terminal goes to a console socket, also one with a long path', { skip }, async () => {
  using bundle = makeBundle();
  const directory = `${bundle.directory}/${'d'.repeat(120)}`;
  mkdirSync(directory);
  const fd = openSync(directory, 'r');
  const server = createServer();
  try {
    server.listen(`/proc/self/fd/${fd}/socket`);
    await once(server, 'listening');
    const connected = once(server, 'connection');
    await using _init = await startInit({
      ...startOptions(bundle, terminal),
      consoleSocket: `${directory}/socket`,
    });
    const [socket] = (await connected) as [Socket];
    const [bytes] = (await once(socket, 'data')) as [Buffer];
    assert.equal(bytes.toString(), '/dev/pts/0');
  } finally {
    server.close();
    closeSync(fd);
  }
});

test('a console socket that nobody listens to is named', { skip }, async () => {
  using bundle = makeBundle();
  const consoleSocket = `${bundle.directory}/missing`;
  await assert.rejects(startInit({ ...startOptions(bundle, terminal), consoleSocket }), {
    message: /cannot connect to the console socket ".*missing": no such file or directory/,
  });
});

const script = spawnSync('script', ['--version']);
const scriptSkip = skip ?? (script.status === 0 ? undefined : 'script(1) of util-linux is not installed');

test("the caller's terminal is raw while the container runs, and as before afterwards", {
  skip: scriptSkip,
}, async () => {
  using bundle = makeBundle();
  const program = `
    import { spawnSync } from 'node:child_process';
    import { startInit, releaseInit } from ${JSON.stringify(new URL('./index.ts', import.meta.url).href)};
    const options = JSON.parse(process.env.OPTIONS);
    const stty = () => spawnSync('stty', ['-a'], { stdio: ['inherit', 'pipe', 'inherit'], encoding: 'utf8' }).stdout;
    const before = stty();
    const init = await startInit(options);
    const during = stty();
    await releaseInit(options.stateDirectory, init.pid);
    const { exitCode } = await init.exited;
    console.log(JSON.stringify([exitCode, / -icanon/.test(before), / -icanon/.test(during), stty() === before]));`;
  const spec = makeSpec({ process: { terminal: true, args: ['sh', '-c', 'test -t 0 && exit 7'] } });
  const options = { ...startOptions(bundle, spec), stdio: ['inherit', 'inherit', 'inherit'] };
  const { stdout } = spawnSync(
    'script',
    ['-qec', '"$NODE" --conditions=source --input-type=module -e "$PROGRAM"', '/dev/null'],
    {
      encoding: 'utf8',
      env: { ...process.env, NODE: process.execPath, PROGRAM: program, OPTIONS: JSON.stringify(options) },
    },
  );
  assert.match(stdout, /\[7,false,true,true\]\s*$/);
});
