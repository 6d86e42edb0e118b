import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { busyboxBundle } from '../testing/busybox-bundle.ts';
import { cannotCheckpoint, criu, until } from '../testing/checkpoints.ts';

function cannotUsePodman(): string | false {
  const cannot = cannotCheckpoint();
  if (cannot) return cannot;
  return spawnSync('podman', ['--version']).status === 0 ? false : 'needs podman';
}

/** A podman of its own, with this runtime as a program. */
function podmanIn(directory: string): (...argv: string[]) => string {
  const runtime = join(directory, 'oci-runtime');
  const entry = fileURLToPath(new URL('./entry.ts', import.meta.url));
  const command = [process.execPath, '--conditions=source', entry].map((word) => `'${word}'`).join(' ');
  // Of the environment podman passes on what it knows.
  const variables = `export OCI_CRIU='${criu.includes('/') ? criu : ''}'`;
  writeFileSync(runtime, `#!/bin/sh\n${variables}\nexec ${command} "$@"\n`, { mode: 0o755 });
  const global = [
    ...['--root', join(directory, 'storage'), '--runroot', join(directory, 'run')],
    ...['--storage-driver', 'vfs', '--cgroup-manager', 'cgroupfs', '--events-backend', 'none'],
    ...['--runtime', runtime],
  ];
  // podman looks for criu by its name, to ask it for its version.
  const path = criu.includes('/') ? `${dirname(criu)}:${process.env['PATH']}` : process.env['PATH'];
  const env = { ...process.env, PATH: path };
  return (...argv) => {
    const { status, stdout, stderr } = spawnSync('podman', [...global, ...argv], { encoding: 'utf8', env });
    assert.equal(status, 0, `podman ${argv.join(' ')}: ${stderr}`);
    return stdout.trim();
  };
}

/** Limits that root need not have the right to raise. */
function limits(): string[] {
  const hard = /^Max open files\s+\d+\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
  return ['--ulimit', `nofile=${hard}:${hard}`, '--ulimit', 'nproc=1000:1000'];
}

test('podman checkpoints and restores containers', { skip: cannotUsePodman() }, async () => {
  using bundle = busyboxBundle('true');
  const { directory } = bundle;
  const podman = podmanIn(directory);
  const name = `oci-test-${process.pid}`;
  const archive = join(directory, 'root.tar');
  assert.equal(spawnSync('tar', ['-C', join(directory, 'rootfs'), '-cf', archive, '.']).status, 0);
  const image = podman('import', '--quiet', archive);
  const count = (): number => Number(podman('logs', '--tail', '1', name));
  const script = 'i=0; while true; do i=$((i+1)); echo $i; sleep 0.05; done';
  try {
    podman('run', '--detach', '--name', name, '--network', 'none', ...limits(), image, 'sh', '-c', script);
    await until(() => count() > 2);
    podman('container', 'checkpoint', name);
    const before = count();
    assert.match(podman('ps', '--all', '--format', '{{.Status}}'), /^Exited/);
    podman('container', 'restore', name);
    await until(() => count() > before);
    const exported = join(directory, 'exported.tar');
    podman('container', 'checkpoint', '--export', exported, '--compress', 'gzip', name);
    const then = count();
    podman('rm', name);
    podman('container', 'restore', '--import', exported);
    await until(() => count() > then);
    podman('exec', name, 'true');
  } finally {
    podman('rm', '--force', '--ignore', '--time', '0', name);
    podman('rmi', '--force', image);
  }
});
