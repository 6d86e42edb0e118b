import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmod, copyFile, mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { type TestHome, testHome } from '../testing/oci.testkit.ts';
import { cannotBeOrdinary, ordinaryUser, ownRanges } from '../testing/ordinary-user.testkit.ts';

const execute = promisify(execFile);

const applets = ['sh', 'cat', 'chmod', 'chown', 'echo', 'id', 'ln', 'ls', 'mkdir', 'rm', 'touch'];

/** What root of a namespace without other users can do. */
const asRoot = [
  'FROM base AS one',
  'RUN mkdir -p /a/b && echo x > /a/b/c && ln /a/b/c /a/d && ln -s b /a/e && chmod 4750 /a/b/c && rm /etc/old',
  'WORKDIR /w',
  'COPY --chown=7:8 --chmod=640 file /w/',
  'RUN echo more >> /w/file && echo y > /etc/new && rm -r /gone && mkdir /gone',
  'FROM base',
  'COPY --from=one /w /w',
  'COPY --from=one /a /a',
  'RUN --mount=type=bind,target=/src --mount=type=cache,target=/c cat /src/file > /c/f && cat /c/f > /got',
];
/** What takes other users. */
const asOthers = [
  ...asRoot,
  'RUN chown -R 7:8 /a && mkdir /home && chown app /home',
  'USER app',
  'RUN echo mine > /home/file',
];

describe('oci build as an ordinary user', { skip: cannotBeOrdinary('setpriv', 'unshare', 'busybox') }, () => {
  let home: TestHome;
  let context: string;

  before(async () => {
    home = await testHome();
    context = join(home.directory, 'context');
    const rootfs = join(context, 'rootfs');
    for (const name of ['bin', 'etc', 'gone']) await mkdir(join(rootfs, name), { recursive: true });
    const { stdout } = await execute('sh', ['-c', 'command -v busybox']);
    await copyFile(stdout.trim(), join(rootfs, 'bin/busybox'));
    for (const name of applets) await symlink('busybox', join(rootfs, 'bin', name));
    await writeFile(join(rootfs, 'etc/passwd'), 'root:x:0:0::/:\napp:x:7:8::/home:\n');
    await writeFile(join(rootfs, 'etc/old'), 'old');
    await writeFile(join(rootfs, 'gone/x'), 'x');
    await writeFile(join(context, 'file'), 'a file');
    await writeFile(
      join(context, 'Base'),
      'FROM scratch\nCOPY rootfs /\nCOPY --chown=7:8 file /owned\nLABEL a=b\n',
    );
    await writeFile(join(context, 'AsRoot'), asRoot.join('\n'));
    await writeFile(join(context, 'AsOthers'), asOthers.join('\n'));
    await chmod(home.directory, 0o755);
    await execute('chmod', ['-R', 'a+rX', context]);
    await oci('build', '-q', '-t', 'base', '-f', join(context, 'Base'), context);
    await oci('copy', 'base', `oci-archive:${join(home.directory, 'base.tar')}:base`);
    await chmod(join(home.directory, 'base.tar'), 0o644);
  });
  after(() => home[Symbol.asyncDispose]());

  async function oci(...args: readonly string[]): Promise<string> {
    const { status, stdout, stderr } = await home.oci(...args);
    assert.equal(status, 0, `oci ${args.join(' ')}: ${stderr}${stdout}`);
    return stdout.trim();
  }

  async function asUser(name: string, ranges: string | undefined, ...lines: (readonly string[])[]) {
    const user = await ordinaryUser(home, { name, ranges });
    const results = [];
    for (const line of lines) results.push(await user.oci(...line));
    return { results, store: user.store };
  }

  const load = (): readonly string[] => [
    ...['load', '-q', '--name', 'base', '-i'],
    join(home.directory, 'base.tar'),
  ];
  const build = (file: string): readonly string[] => [...['build', '-q', '-f', join(context, file)], context];

  test('without subordinate ids: root alone, and the same digest', async () => {
    const expected = await oci(...build('AsRoot'));
    const { results, store } = await asUser(
      'single',
      undefined,
      load(),
      build('AsRoot'),
      build('AsRoot'),
      build('AsOthers'),
      [...build('AsRoot'), '--no-cache', '--network', 'none'],
    );
    const [, first, again, others, apart] = results;
    assert.equal(first?.stdout, expected, first?.stderr);
    assert.equal(again?.stdout, expected);
    assert.notEqual(others?.status, 0, 'there is nobody else to give files to');
    assert.equal(apart?.stdout, expected, apart?.stderr);
    assert.deepEqual(await readdir(join(store, 'builds')), []);
    assert.ok(!(await readFile('/proc/self/mounts', 'utf8')).includes(home.directory));
  });

  test('with subordinate ids: everything, and the same digest', {
    skip: cannotBeOrdinary('newuidmap', 'newgidmap'),
  }, async () => {
    const expected = await oci(...build('AsOthers'));
    const { results, store } = await asUser('ranges', ownRanges, load(), build('AsOthers'), build('AsRoot'));
    const [, first, other] = results;
    assert.equal(first?.stdout, expected, first?.stderr);
    assert.equal(other?.stdout, await oci(...build('AsRoot')), other?.stderr);
    assert.deepEqual(await readdir(join(store, 'builds')), []);
    await rm(store, { recursive: true });
  });
});
