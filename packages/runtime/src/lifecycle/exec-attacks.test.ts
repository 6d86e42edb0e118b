import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { launch } from '../container.ts';
import { initBinary } from '../init/binary.ts';
import { busyboxBundle, cannotRunAsRoot, type TestBundle, testId } from '../testing/busybox-bundle.ts';

const skip = cannotRunAsRoot();

/**
 * Looks again and again at every process of the container but itself and its children: what it can name of their
 * descriptors, directories and programs, and what it can read of their environment and memory maps.
 */
const spy = `
  cd /spy
  touch ready
  while [ ! -e stop ]; do
    for p in /proc/[0-9]*; do
      case $p in /proc/1) continue;; esac
      busybox readlink $p/exe $p/cwd $p/root $p/fd/* 2>/dev/null
      cat $p/environ $p/cmdline $p/maps 2>/dev/null | tr '\\0' '\\n'
    done >>seen
    rounds=x$rounds
  done
  echo $rounds | busybox wc -c >rounds`;

function spyingBundle(): TestBundle {
  const bundle = busyboxBundle(spy);
  mkdirSync(join(bundle.directory, 'spy'), { mode: 0o777 });
  bundle.change((spec) => {
    const source = join(bundle.directory, 'spy');
    spec.mounts = [...(spec.mounts ?? []), { destination: '/spy', type: 'bind', source, options: ['bind'] }];
    const capabilities = ['CAP_DAC_OVERRIDE', 'CAP_DAC_READ_SEARCH', 'CAP_KILL', 'CAP_SETUID', 'CAP_SETGID'];
    spec.process.capabilities = {
      bounding: capabilities,
      effective: capabilities,
      permitted: capabilities,
    };
  });
  return bundle;
}

const names = /memfd|oci-init|\/work|\/root\/|node|\.ts\b|socket:|OCI_SECRET/;

test('a container sees nothing of the host in a process on its way in (CVE-2016-9962, CVE-2019-5736)', {
  skip,
}, async () => {
  using bundle = spyingBundle();
  const binary = (): string =>
    createHash('sha256')
      .update(readFileSync(initBinary(0)))
      .digest('hex');
  const before = binary();
  process.env['OCI_SECRET'] = 'OCI_SECRET';
  {
    await using container = await launch(bundle.directory, {
      id: testId(),
      root: bundle.root,
      stdio: 'ignore',
    });
    const file = (name: string): string => join(bundle.directory, 'spy', name);
    const deadline = Date.now() + 15_000;
    // Until it was caught on its way in a few times: its command line is all there is to see then.
    while (readIfThere(file('seen')).split('\noci-init\n').length < 4 && Date.now() < deadline) {
      await using process = await container.exec({ args: ['true'], stdio: 'ignore' });
      await process.wait();
    }
    writeFileSync(file('stop'), '');
    await container.wait();
    const lines = readIfThere(file('seen')).split('\n');
    const strange = lines.filter((line) => line !== 'oci-init' && names.test(line));
    assert.deepEqual([...new Set(strange)], []);
    // The attack was at work.
    assert.ok(Number(readIfThere(file('rounds'))) > 2);
  }
  delete process.env['OCI_SECRET'];
  assert.equal(binary(), before);
});

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // Not written yet.
    return '';
  }
}

test('nothing of the image is loaded or run before the process itself (CVE-2019-14271)', {
  skip,
}, async () => {
  using bundle = busyboxBundle('exec sleep 1000');
  const rootfs = join(bundle.directory, 'rootfs');
  // Whoever loaded a library or a resolver's configuration from the image would hang on these.
  for (const name of ['lib', 'lib64', 'usr']) {
    rmSync(join(rootfs, name), { recursive: true, force: true });
    symlinkSync('/proc/self/fd/0', join(rootfs, name));
  }
  await using container = await launch(bundle.directory, {
    id: testId(),
    root: bundle.root,
    stdio: 'ignore',
  });
  await using process = await container.exec({ args: ['echo', 'fine'], stdio: 'pipe' });
  assert.equal(await text(process.stdout as Readable), 'fine\n');
});

test('a device in place of the terminals is not taken for one (CVE-2025-52565)', { skip }, async () => {
  using bundle = busyboxBundle('exec sleep 1000');
  mkdirSync(join(bundle.directory, 'pts'));
  symlinkSync('/proc/sys/kernel/core_pattern', join(bundle.directory, 'pts/ptmx'));
  bundle.change((spec) => {
    const source = join(bundle.directory, 'pts');
    spec.mounts = (spec.mounts ?? []).map((mount) =>
      mount.destination === '/dev/pts'
        ? { destination: '/dev/pts', type: 'bind', source, options: ['bind'] }
        : mount,
    );
  });
  await using container = await launch(bundle.directory, {
    id: testId(),
    root: bundle.root,
    stdio: 'ignore',
  });
  await assert.rejects(container.exec({ args: ['true'], terminal: true, stdio: 'ignore' }), {
    code: 'ERR_OCI_INIT_FAILED',
    message: /cannot make the container's terminal/,
  });
});
