import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { readExitFile } from './exit-file.ts';
import { releaseInit, startInit } from './index.ts';
import { makeBundle, makeSpec, runScript, skipReason, startOptions } from './testing/bundle.ts';

const skip = skipReason();

test('a container ends with the exit code of its process', { skip }, async () => {
  using bundle = makeBundle();
  const exitFile = `${bundle.state}/exit.json`;
  const outcome = await runScript(bundle, 'echo out; echo err >&2; exit 3', { exitFile });
  assert.deepEqual(outcome, { exitCode: 3, stdout: 'out\n', stderr: 'err\n' });
  assert.deepEqual(readExitFile(exitFile), { exitCode: 3 });
});

test('a signal that ends the process is reported by name', { skip }, async () => {
  using bundle = makeBundle();
  const exitFile = `${bundle.state}/exit.json`;
  const spec = makeSpec({ process: { args: ['sleep', '100'] } });
  await using init = await startInit({ ...startOptions(bundle, spec), exitFile });
  await releaseInit(bundle.state, init.pid);
  process.kill(init.pid, 'SIGKILL');
  assert.deepEqual(await init.exited, { exitCode: 137, signal: 'SIGKILL' });
  assert.deepEqual(readExitFile(exitFile), { exitCode: 137, signal: 'SIGKILL' });
});

test('the standard streams are pipes that can be opened again by name', { skip }, async () => {
  using bundle = makeBundle();
  const spec = makeSpec({ process: { user: { uid: 1000, gid: 1000 } } });
  const { stdout } = await runScript(bundle, 'echo again > /dev/stdout; readlink /proc/self/fd/1', { spec });
  assert.match(stdout, /^again\npipe:/);
});

test('a container reads what is written to its standard input', { skip }, async () => {
  using bundle = makeBundle();
  const spec = makeSpec({ process: { args: ['wc', '-c'] } });
  await using init = await startInit({ ...startOptions(bundle, spec), stdio: ['pipe', 'pipe', 'inherit'] });
  await releaseInit(bundle.state, init.pid);
  init.stdin?.end('x'.repeat(300_000));
  assert.equal((await text(init.stdout as Readable)).trim(), '300000');
});

test('nothing of the host is left in the process', { skip }, async () => {
  using bundle = makeBundle();
  const spec = makeSpec({ process: { oomScoreAdj: 321 } });
  const script = 'env; ls /proc/self/fd; echo $$; hostname; cat /proc/1/oom_score_adj';
  const { stdout } = await runScript(bundle, script, { spec });
  const lines = stdout.trim().split('\n');
  const isVariable = (line: string): boolean => line.includes('=');
  assert.deepEqual(lines.filter(isVariable).sort(), ['PATH=/bin', 'PWD=/', 'SHLVL=1', 'TERM=xterm']);
  assert.deepEqual(
    lines.filter((line) => !isVariable(line)),
    ['0', '1', '2', '3', '1', 'test', '321'],
  );
});

test("a null device of the host becomes the container's own", { skip }, async () => {
  using bundle = makeBundle();
  const { stdout } = await runScript(bundle, 'test /proc/self/fd/0 -ef /dev/null && echo own');
  assert.equal(stdout, 'own\n');
});

test('identity, limits and privileges are those of the configuration', { skip }, async () => {
  using bundle = makeBundle();
  const spec = makeSpec({
    process: {
      user: { uid: 1000, gid: 2000, additionalGids: [10, 3000], umask: 0o27 },
      cwd: '/new/directory',
      rlimits: [{ type: 'RLIMIT_NOFILE', soft: 100, hard: 200 }],
      capabilities: {
        bounding: ['CAP_KILL', 'CAP_NET_RAW'],
        effective: ['CAP_KILL'],
        permitted: ['CAP_KILL', 'CAP_NET_RAW'],
        inheritable: ['CAP_KILL'],
        ambient: ['CAP_KILL'],
      },
    },
  });
  const script = 'id; pwd; umask; ulimit -Sn; ulimit -Hn; grep -E "^(Cap|NoNew|Groups)" /proc/self/status';
  const { stdout } = await runScript(bundle, script, { spec });
  const expected = [
    'uid=1000 gid=2000 groups=10,3000',
    '/new/directory',
    '0027',
    '100',
    '200',
    'Groups:\t10 3000 ',
    'CapInh:\t0000000000000020',
    'CapPrm:\t0000000000000020',
    'CapEff:\t0000000000000020',
    'CapBnd:\t0000000000002020',
    'CapAmb:\t0000000000000020',
    'NoNewPrivs:\t1',
  ];
  assert.deepEqual(stdout.trimEnd().split('\n'), expected);
});

test('what cannot be executed is known when the container is created', { skip }, async () => {
  const start = async (...args: string[]): Promise<unknown> => {
    using bundle = makeBundle();
    writeFileSync(`${bundle.rootfs}/bin/text`, '', { mode: 0o644 });
    return await startInit(startOptions(bundle, makeSpec({ process: { args } })));
  };
  const code = 'ERR_OCI_EXEC_NOT_FOUND';
  await assert.rejects(start('missing'), { code, message: 'executable file not found in $PATH: "missing"' });
  await assert.rejects(start('/missing'), {
    code,
    message: 'cannot execute "/missing": no such file or directory',
  });
  await assert.rejects(start('text'), { code: 'ERR_OCI_EXEC_DENIED', message: /permission denied/ });
  await assert.rejects(start('/bin'), { code: 'ERR_OCI_EXEC_DENIED', message: /permission denied/ });
});

test('a program that cannot be loaded after all gives 126 or 127, and the reason', { skip }, async () => {
  using bundle = makeBundle();
  writeFileSync(`${bundle.rootfs}/bin/script`, '#!/missing\n', { mode: 0o755 });
  const spec = makeSpec({ process: { args: ['script'] } });
  await using init = await startInit({ ...startOptions(bundle, spec), stdio: ['ignore', 'ignore', 'pipe'] });
  await releaseInit(bundle.state, init.pid);
  assert.equal(await text(init.stderr as Readable), 'exec script: no such file or directory\n');
  assert.deepEqual(await init.exited, { exitCode: 127 });
});

test('the fifo releases a process once', { skip }, async () => {
  using bundle = makeBundle();
  await using init = await startInit(startOptions(bundle, makeSpec({ process: { args: ['sleep', '100'] } })));
  assert.equal(readFileSync(`/proc/${init.pid}/comm`, 'utf8'), 'oci-init\n');
  await releaseInit(bundle.state, init.pid);
  await assert.rejects(releaseInit(bundle.state, init.pid), { code: 'ERR_OCI_CONTAINER_NOT_RUNNING' });
});

test('releasing a process that was killed while it waited fails at once', { skip }, async () => {
  using bundle = makeBundle();
  await using init = await startInit(startOptions(bundle));
  process.kill(init.pid, 'SIGKILL');
  await init.exited;
  await assert.rejects(releaseInit(bundle.state, init.pid), { code: 'ERR_OCI_CONTAINER_NOT_RUNNING' });
});

test('preserved descriptors reach the container at their numbers', { skip }, async () => {
  using bundle = makeBundle();
  writeFileSync(`${bundle.directory}/given`, 'given');
  const program = `
    import { runScript } from ${JSON.stringify(new URL('./testing/bundle.ts', import.meta.url).href)};
    const outcome = await runScript(JSON.parse(process.env.BUNDLE), 'cat <&4; ls /proc/self/fd', { preserveFds: 2 });
    console.log(JSON.stringify(outcome.stdout));`;
  const given = openSync(`${bundle.directory}/given`, 'r');
  const { stdout } = spawnSync(
    process.execPath,
    ['--conditions=source', '--input-type=module', '-e', program],
    {
      stdio: ['ignore', 'pipe', 'inherit', given, given],
      env: { BUNDLE: JSON.stringify(bundle) },
      encoding: 'utf8',
    },
  );
  closeSync(given);
  assert.equal(JSON.parse(stdout), 'given0\n1\n2\n3\n4\n5\n');
});
