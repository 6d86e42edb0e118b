import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { launch } from '../container.ts';
import { busyboxBundle, cannotRunAsRoot, testId } from '../testing/busybox-bundle.ts';
import { stringifyExact } from './json.ts';
import { main } from './main.ts';

const skip = cannotRunAsRoot();
const hasRunc = spawnSync('runc', ['--version']).status === 0;
const skipWithoutRunc = skip || (hasRunc ? false : 'runc is not installed');

interface Result {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

/** Runs the command line in this process, which is much faster than a new one. */
async function ours(...argv: string[]): Promise<Result> {
  let [out, err] = ['', ''];
  const status = await main(argv, {
    standardOutput: (text) => {
      out += text;
    },
    standardError: (text) => {
      err += text;
    },
  });
  return { status, out, err };
}

/**
 * The names of all members, with the kind of each value. Left out is what depends on the moment, and `hugetlb`: with cgroup
 * v2, runc reads failures from a file of reservations that no kernel has, and then says nothing.
 */
function shape(value: unknown): unknown {
  if (Array.isArray(value)) return value.length === 0 ? [] : [shape(value[0])];
  if (typeof value !== 'object' || value === null) return typeof value;
  const entries = Object.entries(value).filter(([name]) => !/^(blkio|psi|value|cache|hugetlb)$/.test(name));
  return Object.fromEntries(entries.map(([name, member]) => [name, shape(member)]));
}

test('commands print and refuse what those of runc print and refuse', { skip: skipWithoutRunc }, async () => {
  using bundle = busyboxBundle('exec sleep 1000 <&- >&- 2>&-');
  const [id, theirRoot] = [testId(), join(bundle.directory, 'runc')];
  const runc = (...argv: string[]): Result => {
    const { status, stdout, stderr } = spawnSync('runc', ['--root', theirRoot, ...argv], {
      encoding: 'utf8',
      input: '',
    });
    return { status: status ?? -1, out: stdout, err: stderr };
  };
  assert.equal(runc('run', '--detach', '--bundle', bundle.directory, id).status, 0);
  try {
    await using container = await launch(bundle.directory, { id, root: bundle.root, stdio: 'ignore' });
    const own = (...argv: string[]): Promise<Result> => ours('--root', bundle.root, ...argv);
    const file = join(bundle.directory, 'resources.json');
    writeFileSync(file, '{"pids":{"limit":99},"memory":{"limit":67108864}}');
    const calls = [
      ...[
        ['state', id],
        ['list', '-f', 'json'],
        ['list', '-q'],
        ['ps', '--format', 'json', id],
      ],
      ...[
        ['events', '--stats', id],
        ['pause', id],
        ['state', id],
        ['pause', id],
        ['resume', id],
        ['resume', id],
      ],
      ...[
        ['ps', id, '-o', 'pid,args'],
        ['ps', id, '-o', 'args'],
        ['ps', '-f', 'xml', id],
      ],
      ...[
        ['update', '--memory', '100m', '--pids-limit', '50', id],
        ['update', '--memory', 'much', id],
      ],
      ...[
        ['update', '-r', file, id],
        ['update', id],
        ['update', '--cpu-quota', '-1', '--cpu-period', '50000', id],
      ],
      ...[
        ['update', '--cpu-share', 'x', id],
        ['update', '--resources', '/nonexistent', id],
      ],
      ...[
        ['kill', id, 'XX'],
        ['kill', id, '0'],
        ['state', 'none'],
        ['pause', 'none'],
        ['ps', 'none'],
      ],
      ...[
        ['events', '--interval', '0s', id],
        ['events', '--interval', 'x', id],
        ['update', '--nothing', id],
      ],
      ...[['kill', id, 'KILL']],
    ];
    for (const argv of calls) {
      const [mine, theirs] = [await own(...argv), runc(...argv)];
      assert.equal(mine.status, theirs.status, `${argv.join(' ')}: ${mine.err} / ${theirs.err}`);
      const isJson = /^[{[]/.test(theirs.out);
      if (theirs.out.startsWith('Incorrect Usage')) continue;
      if (isJson)
        assert.deepEqual(shape(JSON.parse(mine.out)), shape(JSON.parse(theirs.out)), argv.join(' '));
      else {
        const normal = (text: string): string => text.replace(/\d+/g, 'N').replace(/ +/g, ' ');
        assert.equal(normal(mine.out), normal(theirs.out), argv.join(' '));
      }
    }
    await container.wait();
    while (runc('state', id).out.includes('running')) await new Promise((resolve) => setTimeout(resolve, 5));
    for (const argv of [
      ['pause', id],
      ['resume', id],
      ['events', '--stats', id],
      ['update', '--memory', '1g', id],
    ]) {
      const [mine, theirs] = [await own(...argv), runc(...argv)];
      assert.deepEqual([mine.status, mine.out], [theirs.status, theirs.out], argv.join(' '));
      const message = (text: string): string => /not (running|paused)/.exec(text)?.[0] ?? text;
      assert.equal(message(mine.err), message(theirs.err), argv.join(' '));
    }
  } finally {
    runc('delete', '--force', id);
  }
});

test('features are those of the specification, and at least the ones of runc', {
  skip: !hasRunc && 'runc is not installed',
}, async () => {
  const { out } = await ours('features');
  const mine = JSON.parse(out) as {
    readonly linux: Readonly<Record<string, unknown>> & {
      readonly seccomp: Readonly<Record<string, readonly string[]>>;
    };
    readonly mountOptions: readonly string[];
    readonly hooks: readonly string[];
    readonly annotations: Readonly<Record<string, string>>;
    readonly potentiallyUnsafeConfigAnnotations: readonly string[];
  };
  const theirs = JSON.parse(spawnSync('runc', ['features'], { encoding: 'utf8' }).stdout) as typeof mine;
  const missing = (left: readonly string[], right: readonly string[]): string[] =>
    left.filter((name) => !right.includes(name));
  assert.deepEqual(missing(theirs.mountOptions, mine.mountOptions), []);
  assert.deepEqual(missing(theirs.hooks, mine.hooks), []);
  for (const name of ['namespaces', 'capabilities']) {
    assert.deepEqual(missing(theirs.linux[name] as string[], mine.linux[name] as string[]), []);
  }
  for (const name of ['actions', 'operators', 'archs']) {
    assert.deepEqual(missing(theirs.linux.seccomp[name] ?? [], mine.linux.seccomp[name] ?? []), [], name);
  }
  const checkpoints = 'org.opencontainers.runc.checkpoint.enabled';
  assert.equal(mine.annotations[checkpoints], theirs.annotations[checkpoints]);
  assert.deepEqual(mine.potentiallyUnsafeConfigAnnotations, ['org.criu.config', 'org.systemd.property.']);
  for (const name of ['apparmor', 'selinux', 'intelRdt', 'netDevices']) {
    assert.equal((mine.linux[name] as { readonly enabled: boolean }).enabled, true, name);
  }
});

test('kill and delete take a pattern', { skip }, async () => {
  using bundle = busyboxBundle('exec sleep 1000');
  const ids = [testId(), testId()];
  const options = { root: bundle.root, stdio: 'ignore' } as const;
  await using first = await launch(bundle.directory, { id: ids[0] as string, ...options });
  await using second = await launch(bundle.directory, { id: ids[1] as string, ...options });
  const own = (...argv: string[]): Promise<Result> => ours('--root', bundle.root, ...argv);
  assert.equal((await own('kill', '--regex', `^${ids[0]}$`, 'KILL')).status, 0);
  assert.equal((await first.wait()).exitCode, 137);
  assert.equal((await second.state()).status, 'running');
  assert.match((await own('kill', '--regex', '(', 'KILL')).err, /invalid regular expression/);
  assert.equal((await own('delete', '--regex', '--force', `^t${process.pid}-`)).status, 0);
  assert.equal((await own('list', '-q')).out, '');
  await second.wait();
});

test('large numbers keep all their digits', () => {
  const value = { a: 9223372036854771712n, b: [1, 2n], c: '3n' };
  assert.equal(stringifyExact(value), '{"a":9223372036854771712,"b":[1,2],"c":"3n"}');
});
