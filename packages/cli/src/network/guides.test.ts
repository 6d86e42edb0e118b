import assert from 'node:assert/strict';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { containerImage } from '../testing/containers.testkit.ts';
import { type NetworkHome, networkHome, skipNetworks } from '../testing/network.testkit.ts';
import { ociProgram } from '../testing/oci.testkit.ts';

const skip = skipNetworks(['iptables', 'bridge', 'host-local', 'portmap', 'firewall']);

describe('the guides', { skip, timeout: 300_000 }, () => {
  let home: NetworkHome;

  before(async () => {
    home = await networkHome();
    // The image that they speak of, which comes from a registry elsewhere.
    await home.ok('tag', containerImage, 'busybox');
    await mkdir(join(home.directory, 'bin'));
    const program = join(home.directory, 'bin/oci');
    const variables = Object.entries({
      OCI_STORE: join(home.directory, 'store'),
      OCI_ROOT: join(home.directory, 'state'),
    });
    const exports = variables.map(([name, value]) => `export ${name}='${value}'\n`).join('');
    await writeFile(program, `#!/bin/sh\n${exports}exec '${process.execPath}' '${ociProgram}' "$@"\n`);
    await chmod(program, 0o755);
  });
  after(() => home?.[Symbol.asyncDispose]());

  for (const name of ['networking', 'containers']) {
    test(`${name}.md: every command line works as it is written`, async () => {
      const guide = new URL(`../../../../docs/guides/${name}.md`, import.meta.url);
      const blocks = [...(await readFile(guide, 'utf8')).matchAll(/```sh\n([\s\S]*?)```/g)];
      assert.ok(blocks.length > 1, 'there are command lines');
      const script = `set -e; cd '${home.directory}'; PATH='${home.directory}/bin':"$PATH"\n`;
      for (const [, lines = ''] of blocks) home.run('sh', '-c', script + lines);
      assert.deepEqual(await home.json('ps', '-a'), []);
    });
  }
});
