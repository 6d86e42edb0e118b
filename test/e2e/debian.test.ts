import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { command, output } from '../kit/command.ts';
import { acceptAnything, debianImage } from '../kit/debian-image.ts';
import { type DockerRegistry, dockerRegistry } from '../kit/docker-registry.ts';
import { type OciHome, oci, ociHome, runtimeProgram } from '../kit/oci.ts';
import { missing } from '../kit/requirements.ts';
import { runtimeSpecErrors } from '../kit/runtime-schema.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../kit/temporary.ts';
import { compareTrees, describeTree } from '../kit/tree.ts';

const skip = missing({
  root: true,
  commands: ['debootstrap', 'docker-registry', 'skopeo', 'umoci', 'runc', 'setfattr'],
});

describe('a real Debian image, from a real registry to a running container', {
  skip,
  timeout: 900_000,
}, () => {
  let temporary: TemporaryDirectory;
  let registry: DockerRegistry;
  let home: OciHome;
  let image: string;
  let layout: string;
  let policy: string;

  before(async () => {
    temporary = await temporaryDirectory();
    policy = await acceptAnything(temporary.path);
    registry = await dockerRegistry(temporary.path);
    home = ociHome(temporary.path);
    image = `${registry.host}/debian:bookworm`;
    const made = await debianImage(temporary.path);
    layout = `${made.layout}:${made.tag}`;
    await output('skopeo', [
      '--policy',
      policy,
      'copy',
      '--dest-tls-verify=false',
      `oci:${layout}`,
      `docker://${image}`,
    ]);
    await output('umoci', ['unpack', '--image', layout, `${temporary.path}/umoci`]);
  });

  after(async () => {
    await registry?.[Symbol.asyncDispose]();
    await temporary?.[Symbol.asyncDispose]();
  });

  test('oci pull fetches every blob once, and a second pull none', async () => {
    const first = JSON.parse(await succeed(['pull', '--json', image]));
    assert.match(first.digest, /^sha256:[0-9a-f]{64}$/);
    assert.equal(first.blobs.length, 3, 'the config and two layers');
    assert.ok(first.bytesFetched > 50_000_000);
    const second = JSON.parse(await succeed(['pull', '--json', image]));
    assert.equal(second.digest, first.digest);
    assert.equal(second.bytesFetched, 0);
  });

  test('oci unpack makes the same tree as umoci unpack', async () => {
    await succeed(['unpack', image, `${temporary.path}/bundle`]);
    const ours = await describeTree(`${temporary.path}/bundle/rootfs`);
    const theirs = await describeTree(`${temporary.path}/umoci/rootfs`);
    assert.ok(ours.length > 6000, `${ours.length} entries`);
    assert.deepEqual(compareTrees(ours, theirs), []);
  });

  test('config.json is valid against the schema of the runtime-spec', async () => {
    const config = JSON.parse(await readFile(`${temporary.path}/bundle/config.json`, 'utf8'));
    assert.deepEqual(runtimeSpecErrors(config), []);
    assert.deepEqual(config.process.args, ['/bin/sh']);
    assert.equal(config.annotations['org.example.origin'], 'debootstrap');
  });

  test('the bundle runs under runc', async () => {
    const bundle = await bundleThatPrints('bundle', 'from-runc');
    const root = `${temporary.path}/runc`;
    const result = await command('runc', [
      '--root',
      root,
      'run',
      '--bundle',
      bundle,
      `ocijs-e2e-${process.pid}`,
    ]);
    assert.equal(result.stdout, 'from-runc\n', result.stderr);
    assert.equal(result.status, 7);
  });

  test('a bundle made by umoci runs under oci-runtime', async () => {
    const bundle = await bundleThatPrints('umoci', 'from-oci-runtime');
    const root = `${temporary.path}/oci-runtime`;
    const args = [runtimeProgram, '--root', root, 'run', '--bundle', bundle, `ocijs-e2e-${process.pid}`];
    const result = await command(process.execPath, args);
    assert.equal(result.stdout, 'from-oci-runtime\n', result.stderr);
    assert.equal(result.status, 7);
    assert.deepEqual(await readdir(root), [], 'no state is left');
  });

  test('oci run shows an isolated container and passes its exit code through', async () => {
    const script = 'cat /etc/os-release; id; hostname; ls /proc | head; cat /proc/self/status; exit 42';
    const result = await oci(home, ['run', '--rm', image, 'sh', '-c', script]);
    assert.equal(result.status, 42, result.stderr);
    assert.match(result.stdout, /PRETTY_NAME="Debian GNU\/Linux 12/);
    assert.match(result.stdout, /uid=0\(root\) gid=0\(root\)/);
    assert.match(result.stdout, /^CapEff:\t00000000a80425fb$/m, 'the 14 capabilities that Docker grants');
    assert.match(result.stdout, /^NoNewPrivs:\t[01]$/m);
    const pid = Number(/^Pid:\t(\d+)$/m.exec(result.stdout)?.[1]);
    assert.ok(pid > 0 && pid < 20, `its own pid namespace: pid ${pid}`);
  });

  test('our store is a layout that skopeo copies', async () => {
    const digest = JSON.parse(await succeed(['inspect', '--json', image])).digest;
    const source = `oci:${home.store}:${image}`;
    await output('skopeo', ['--policy', policy, 'copy', source, `oci:${temporary.path}/copied:it`]);
    const copied = await output('skopeo', ['inspect', '--raw', `oci:${temporary.path}/copied:it`]);
    assert.equal(copied, await succeed(['inspect', '--raw', image]));
    assert.match(digest, /^sha256:/);
  });

  test('what oci push sends, skopeo and umoci read', async () => {
    const pushed = `${registry.host}/again/debian:v1`;
    const report = JSON.parse(await succeed(['push', '--json', image, pushed]));
    const raw = await output('skopeo', ['inspect', '--tls-verify=false', '--raw', `docker://${pushed}`]);
    assert.equal(raw, await succeed(['inspect', '--raw', image]));
    const inspected = JSON.parse(
      await output('skopeo', ['inspect', '--tls-verify=false', `docker://${pushed}`]),
    );
    assert.equal(inspected.Digest, report.digest);
    const target = `${temporary.path}/pushed`;
    await output('skopeo', [
      '--policy',
      policy,
      'copy',
      '--src-tls-verify=false',
      `docker://${pushed}`,
      `oci:${target}:v1`,
    ]);
    await output('umoci', ['unpack', '--image', `${target}:v1`, `${temporary.path}/pushed-bundle`]);
    const [a, b] = await Promise.all([
      describeTree(`${temporary.path}/pushed-bundle/rootfs`),
      describeTree(`${temporary.path}/umoci/rootfs`),
    ]);
    assert.deepEqual(compareTrees(a, b), []);
  });

  test('oci tags and oci images know it', async () => {
    assert.deepEqual(JSON.parse(await succeed(['tags', '--json', `${registry.host}/debian`])).tags, [
      'bookworm',
    ]);
    assert.ok((await succeed(['images'])).includes(`${registry.host}/debian`));
  });

  test('oci validate finds nothing wrong with it', async () => {
    await succeed(['validate', image]);
    await succeed(['validate', `${temporary.path}/bundle`]);
  });

  async function succeed(args: readonly string[]): Promise<string> {
    const result = await oci(home, args);
    assert.equal(result.status, 0, `oci ${args.join(' ')}: ${result.stderr}${result.stdout}`);
    return result.stdout;
  }

  /** A copy of a bundle's config with a command that prints `text` and exits with 7. */
  async function bundleThatPrints(name: string, text: string): Promise<string> {
    const bundle = `${temporary.path}/${name}-prints`;
    await mkdir(bundle);
    const config = JSON.parse(await readFile(`${temporary.path}/${name}/config.json`, 'utf8'));
    config.process.args = ['sh', '-c', `echo ${text}; exit 7`];
    config.process.terminal = false;
    config.root.path = `${temporary.path}/${name}/rootfs`;
    await writeFile(`${bundle}/config.json`, JSON.stringify(config));
    return bundle;
  }
});
