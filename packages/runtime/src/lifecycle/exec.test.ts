import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  rmdirSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { type Container, launch } from '../container.ts';
import type { ExecOptions } from '../exec.ts';
import { readRecord } from '../state/store.ts';
import {
  busyboxBundle,
  cannotRun,
  cannotRunAsRoot,
  leftovers,
  type TestBundle,
  type TestSpec,
  testId,
} from '../testing/busybox-bundle.ts';

const skip = cannotRun();
const skipUnlessRoot = cannotRunAsRoot();

/** A container that waits, in a bundle with a changed configuration. */
async function sleeping(bundle: TestBundle, change?: (spec: TestSpec) => void): Promise<Container> {
  if (change !== undefined) bundle.change(change);
  return await launch(bundle.directory, { id: testId(), root: bundle.root, stdio: 'ignore' });
}

interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function run(container: Container, options: ExecOptions | string): Promise<Outcome> {
  const given = typeof options === 'string' ? { args: ['sh', '-c', options] } : options;
  await using process = await container.exec({ stdio: ['ignore', 'pipe', 'pipe'], ...given });
  const [out, err] = [text(process.stdout as Readable), text(process.stderr as Readable)];
  const { exitCode } = await process.wait();
  return { code: exitCode, out: await out, err: await err };
}

const sleeper = 'exec sleep 1000';

test('a process joins the namespaces of a container, and ends with its own code', { skip }, async () => {
  using bundle = busyboxBundle(sleeper);
  {
    await using container = await sleeping(bundle);
    const names = ['ipc', 'mnt', 'net', 'pid', 'uts', 'user', 'cgroup'];
    const script = `for n in ${names.join(' ')}; do busybox readlink /proc/self/ns/$n; done; echo $PPID; hostname; exit 7`;
    const { code, out, err } = await run(container, script);
    const expected = names.map((name) => readlinkSync(`/proc/${container.pid}/ns/${name}`));
    assert.deepEqual(out.trim().split('\n'), [...expected, '0', 'oci']);
    assert.deepEqual([code, err], [7, '']);
  }
  assert.deepEqual(leftovers(bundle), []);
});

test('nothing of the host is left in the process', { skip }, async () => {
  using bundle = busyboxBundle(sleeper);
  await using container = await sleeping(bundle);
  const { out } = await run(container, 'env; ls /proc/self/fd');
  const lines = out.trim().split('\n');
  const names = lines.filter((line) => line.includes('=')).map((line) => line.replace(/=.*/, ''));
  assert.deepEqual(names.sort(), ['HOME', 'PATH', 'PWD', 'SHLVL', 'TERM']);
  // 3 is the directory that ls reads.
  assert.deepEqual(
    lines.filter((line) => !line.includes('=')),
    ['0', '1', '2', '3'],
  );
});

test('the process has the settings of the container unless it says otherwise', {
  skip: skipUnlessRoot,
}, async () => {
  using bundle = busyboxBundle(sleeper);
  await using container = await sleeping(bundle, (spec) => {
    spec.process.capabilities = { bounding: ['CAP_KILL'], effective: ['CAP_KILL'], permitted: ['CAP_KILL'] };
    spec.process.rlimits = [{ type: 'RLIMIT_NOFILE', soft: 100, hard: 200 }];
    spec.process.oomScoreAdj = 77;
  });
  const status =
    'busybox grep -E "^(Cap(Inh|Prm|Eff|Bnd|Amb)|NoNewPrivs)" /proc/self/status | busybox cut -f2';
  const script = `id; pwd; ulimit -n; cat /proc/self/oom_score_adj; echo $HOME; umask; ${status}`;
  const kill = '0000000000000020';
  const none = '0000000000000000';
  assert.deepEqual((await run(container, script)).out.split('\n').slice(0, -1), [
    ...['uid=0(root) gid=0(root)', '/', '100', '77', '/root', '0022'],
    ...[none, kill, kill, kill, none, '1'],
  ]);
  const other = await run(container, {
    args: ['sh', '-c', script],
    user: 'app',
    cwd: '/tmp',
    process: {
      capabilities: { bounding: ['CAP_NET_RAW'] },
      rlimits: [{ type: 'RLIMIT_NOFILE', soft: 50, hard: 60 }],
      noNewPrivileges: false,
    },
  });
  assert.deepEqual(other.out.split('\n').slice(0, -1), [
    ...['uid=1000(app) gid=1000(app) groups=2000(extra)', '/tmp', '50', '77', '/home/app', '0022'],
    ...[none, none, none, '0000000000002000', none, '0'],
  ]);
});

test('the seccomp filter of the container holds for its further processes', { skip }, async () => {
  using bundle = busyboxBundle(sleeper);
  await using container = await sleeping(bundle, (spec) => {
    spec.linux.seccomp = {
      defaultAction: 'SCMP_ACT_ALLOW',
      syscalls: [{ names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_ERRNO', errnoRet: 95 }],
    };
  });
  const { out, err } = await run(container, 'mkdir /tmp/x; busybox grep Seccomp: /proc/self/status');
  assert.match(err, /not supported/);
  assert.equal(out, 'Seccomp:\t2\n');
});

test('what cannot be executed is said before anything runs', { skip }, async () => {
  using bundle = busyboxBundle(sleeper);
  await using container = await sleeping(bundle);
  await assert.rejects(container.exec({ args: ['missing'] }), {
    code: 'ERR_OCI_EXEC_NOT_FOUND',
    message: 'executable file not found in $PATH: "missing"',
  });
  await assert.rejects(container.exec({ args: ['/etc/passwd'] }), { code: 'ERR_OCI_EXEC_DENIED' });
  await assert.rejects(container.exec({ args: [] }), { code: 'ERR_OCI_SPEC_CONFLICT' });
  await assert.rejects(
    container.exec({ args: ['true'], process: { rlimits: [{ type: 'X', soft: 1, hard: 1 }] } }),
    {
      code: 'ERR_OCI_SPEC_CONFLICT',
    },
  );
});

test('a container that ended takes no further process', { skip }, async () => {
  using bundle = busyboxBundle('true');
  await using container = await sleeping(bundle);
  await container.wait();
  await assert.rejects(container.exec({ args: ['true'] }), {
    code: 'ERR_OCI_CONTAINER_STATE',
    message: 'cannot exec in a stopped container',
  });
});

test('disposing or aborting ends the process, not the container', { skip }, async () => {
  using bundle = busyboxBundle(sleeper);
  await using container = await sleeping(bundle);
  const controller = new AbortController();
  const options = { args: ['sleep', '1000'], stdio: 'ignore' } as const;
  const aborted = await container.exec({ ...options, signal: controller.signal });
  controller.abort();
  assert.deepEqual(await aborted.wait(), { exitCode: 137, signal: 'SIGKILL' });
  assert.equal(aborted.kill('TERM'), false);
  {
    await using _disposed = await container.exec(options);
  }
  const { out } = await run(container, 'for p in /proc/[0-9]*/cmdline; do cat $p | tr "\\0" " "; echo; done');
  assert.equal(out.match(/sleep 1000/g)?.length, 1);
  assert.equal((await container.state()).status, 'running');
});

test('a detached process goes on after disposing and aborting; a signal still reaches it', {
  skip,
}, async () => {
  using bundle = busyboxBundle(sleeper);
  await using container = await sleeping(bundle);
  const controller = new AbortController();
  const { signal } = controller;
  const options = { args: ['sleep', '1001'], stdio: 'ignore', detach: true, signal } as const;
  const detached = await container.exec(options);
  await detached[Symbol.asyncDispose]();
  controller.abort();
  await assert.rejects(detached.wait(), { code: 'ERR_OCI_INIT_DETACHED' });
  const { out } = await run(container, 'for p in /proc/[0-9]*/cmdline; do cat $p | tr "\\0" " "; echo; done');
  assert.equal(out.match(/sleep 1001/g)?.length, 1);
  assert.equal(detached.kill('KILL'), true);
});

test('a process gets a terminal behind its pipes, whose size can be changed', { skip }, async () => {
  using bundle = busyboxBundle(sleeper);
  await using container = await sleeping(bundle);
  await using process = await container.exec({
    args: [
      'sh',
      '-c',
      'trap "stty size; exit 4" WINCH; tty; stty size; echo ready; while :; do sleep 0.05; done',
    ],
    terminal: { rows: 33, columns: 44 },
    stdio: 'pipe',
  });
  let seen = '';
  for await (const chunk of process.stdout as Readable) {
    const before = seen;
    seen += chunk;
    if (!before.includes('ready') && seen.includes('ready')) process.resize({ rows: 55, columns: 66 });
  }
  assert.equal(seen.replaceAll('\r', ''), '/dev/pts/0\n33 44\nready\n55 66\n');
  assert.equal((await process.wait()).exitCode, 4);
});

test('the process is in the cgroups of the container, or in a named one below', {
  skip: skipUnlessRoot,
}, async () => {
  using bundle = busyboxBundle(sleeper);
  await using container = await sleeping(bundle);
  const record = readRecord(bundle.root, container.id)?.cgroup;
  const directory = record?.directories.find(({ controllers }) => controllers.includes('pids'));
  const groups = async (options: Partial<ExecOptions>): Promise<string> =>
    (await run(container, { args: ['cat', '/proc/self/cgroup'], ...options })).out;
  for (const line of (await groups({})).trim().split('\n')) assert.ok(line.endsWith(':/'), line);
  if (directory !== undefined) {
    mkdirSync(join(directory.path, 'sub'));
    const lines = await groups({ cgroups: ['pids:sub'] });
    assert.match(lines, /:pids:\/sub$/m);
    assert.match(lines, /:memory:\/$/m);
    rmdirSync(join(directory.path, 'sub'));
  }
  const hierarchies = (record?.directories ?? []).filter(
    ({ version }) => version === 'v1' || record?.directories.length === 1,
  );
  for (const { path } of hierarchies) {
    mkdirSync(join(path, 'all'));
    // A new group of v1 has no processors, and takes no process.
    for (const file of ['cpuset.cpus', 'cpuset.mems'].filter((name) => existsSync(join(path, 'all', name)))) {
      writeFileSync(join(path, 'all', file), readFileSync(join(path, file)));
    }
  }
  const everywhere = (await groups({ cgroups: ['all'] })).trim().split('\n');
  const inHierarchy = ({ controllers, version }: (typeof hierarchies)[number]): string | undefined =>
    everywhere.find((line) => line.split(':')[1] === (version === 'v1' ? controllers.join(',') : ''));
  for (const hierarchy of hierarchies) assert.match(inHierarchy(hierarchy) ?? '', /:\/all$/);
  for (const [index, { path }] of hierarchies.entries()) {
    rmdirSync(join(path, 'all'));
    if (index === 0) await assert.rejects(groups({ cgroups: ['all'] }), { code: 'ERR_OCI_CGROUP_MISSING' });
  }
  const leaving = directory === undefined ? '../../x' : 'pids:../../x';
  await assert.rejects(groups({ cgroups: [leaving] }), { message: /bad sub cgroup path/ });
  await assert.rejects(groups({ cgroups: ['nothing:x'] }), { code: 'ERR_OCI_COMMAND_INVALID' });
  await assert.rejects(groups({ cgroups: ['pids:a', 'pids:b'] }), { message: /specified multiple times/ });
});

test('affinity is set around the move to the cgroup', { skip: skipUnlessRoot }, async () => {
  using bundle = busyboxBundle(sleeper);
  await using container = await sleeping(bundle);
  const allowed = async (execCPUAffinity?: { initial?: string; final?: string }): Promise<string> => {
    const args = ['busybox', 'grep', 'Cpus_allowed_list', '/proc/self/status'];
    const { out } = await run(container, { args, process: { ...(execCPUAffinity && { execCPUAffinity }) } });
    return out.split('\t')[1]?.trim() ?? '';
  };
  const cpus = /Cpus_allowed_list:\t(.*)/.exec(readFileSync(`/proc/${container.pid}/status`, 'utf8'))?.[1];
  assert.equal(await allowed(), cpus);
  assert.equal(await allowed({ initial: '0' }), '0');
  assert.equal(await allowed({ initial: '0', final: `${cpus}` }), cpus);
  await assert.rejects(allowed({ final: '0-x' }), /list of processors/);
});

for (const path of ['/proc/self/fd/3', '/proc/self/fd/7', '/proc/self/cwd/../..', '/proc/1/root/..']) {
  test(`a working directory of ${path} leads nowhere (CVE-2024-21626)`, { skip }, async () => {
    using bundle = busyboxBundle(sleeper);
    await using container = await sleeping(bundle);
    let outcome: Outcome;
    try {
      outcome = await run(container, { args: ['sh', '-c', 'cd .; pwd; ls bin >/dev/null'], cwd: path });
    } catch (error) {
      assert.equal((error as { code?: string }).code, 'ERR_OCI_INIT_FAILED');
      return;
    }
    assert.deepEqual([outcome.code, outcome.err], [0, '']);
  });
}

test('the program that a link calls /proc/self/exe cannot be run (CVE-2019-5736)', { skip }, async () => {
  using bundle = busyboxBundle(sleeper);
  symlinkSync('/proc/self/exe', join(bundle.directory, 'rootfs/bin/evil'));
  await using container = await sleeping(bundle);
  for (const name of ['/proc/self/exe', 'evil']) {
    const outcome = await run(container, { args: [name, '9'] }).catch((error: unknown) => error as Error);
    // The sealed copy ends at once, without a plan; nothing of the host was executed or can be written.
    if (!(outcome instanceof Error)) assert.notEqual(outcome.code, 0, name);
  }
});
