import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createLayout } from '@ocijs/image';
import { busyboxImage } from '../kit/images.ts';
import { nodeImage } from '../kit/node-rootfs.ts';
import { oci, ociHome } from '../kit/oci.ts';
import { missing } from '../kit/requirements.ts';
import { temporaryDirectory } from '../kit/temporary.ts';

const project = fileURLToPath(new URL('../../', import.meta.url));
const skip = missing({ root: true, commands: ['busybox', 'ldd'] });

test('this project builds its own image, runs in it, and unpacks an image there', {
  skip,
  timeout: 300_000,
}, async () => {
  await using temporary = await temporaryDirectory();
  const directory = temporary.path;
  const home = ociHome(directory);
  const run = async (...args: readonly string[]): Promise<string> => {
    const { status, stdout, stderr } = await oci(home, args, { timeoutMs: 200_000 });
    assert.equal(status, 0, `oci ${args.join(' ')}: ${stderr}${stdout}`);
    return stdout;
  };
  await nodeImage('local-node', home);
  await run('build', '-q', '--build-arg', 'BASE=local-node', '-t', 'oci-itself', project);

  const [host, inside] = [await run('--version'), await run('run', '--rm', 'oci-itself', '--version')];
  assert.equal(inside.split(' ')[0], host.split(' ')[0]);

  const shared = join(directory, 'shared');
  await mkdir(shared);
  {
    await using layout = await createLayout(join(shared, 'layout'));
    await busyboxImage(layout, 'small');
  }
  const script =
    'oci unpack --quiet oci:/shared/layout:small /tmp/bundle && cat /tmp/bundle/rootfs/etc/motd && ls /tmp/bundle';
  const shown = await run(
    ...['run', '--rm', '-v', `${shared}:/shared`, '--entrypoint', 'sh', 'oci-itself', '-c', script],
  );
  assert.match(shown, /hello\nconfig\.json\noci\.json\noci\.layers\nrootfs\n$/);
});
