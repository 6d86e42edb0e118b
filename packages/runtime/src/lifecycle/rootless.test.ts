import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { findHierarchies, isUnified } from '../cgroup/hierarchies.ts';
import { cannotRunAsRoot } from '../testing/busybox-bundle.ts';

const repository = fileURLToPath(new URL('../../../../', import.meta.url));
const user = 54_321;

function isThere(program: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;
}

function cannotBeOrdinary(...programs: string[]): string | false {
  const cannot = cannotRunAsRoot();
  if (cannot) return cannot;
  const missing = ['setpriv', 'unshare', ...programs].filter((program) => !isThere(program));
  return missing.length === 0 ? false : `needs ${missing.join(', ')}`;
}

/** Groups that belong to the user, in the hierarchies with limits; and one of them for what starts the containers. */
function delegate(group: string): string[] {
  const hierarchies = findHierarchies();
  const chosen = isUnified(hierarchies)
    ? hierarchies
    : hierarchies.filter(({ controllers }) =>
        controllers.some((name) => ['memory', 'pids', 'freezer'].includes(name)),
      );
  return chosen.flatMap(({ mountPoint, version }) => [
    version === 'v2' ? `echo +memory +pids >${mountPoint}/cgroup.subtree_control` : ':',
    `mkdir ${mountPoint}${group} ${mountPoint}${group}/caller`,
    `chown -R ${user}:${user} ${mountPoint}${group}`,
    `echo $$ >${mountPoint}${group}/caller/cgroup.procs`,
  ]);
}

/** Undoes it; what the containers left is an error. */
function undelegate(group: string): void {
  for (const { mountPoint } of findHierarchies()) {
    for (const path of [`${mountPoint}${group}/caller`, `${mountPoint}${group}`]) {
      if (existsSync(path)) rmdirSync(path);
    }
  }
}

/** Runs the script as a user of these ranges; what it sees of the host's files is its own. */
function runAsUser(mode: 'own' | 'ranges'): { readonly stdout: string; readonly stderr: string } {
  const place = mkdtempSync(join(tmpdir(), 'oci-rootless-'));
  const group = `/oci-test-${process.pid}-${mode}`;
  const files: Readonly<Record<string, string>> = {
    passwd: `${readFileSync('/etc/passwd', 'utf8')}ociuser:x:${user}:${user}::/tmp:/bin/sh\n`,
    subuid: mode === 'ranges' ? 'ociuser:200000:65536\n' : '',
    subgid: mode === 'ranges' ? 'ociuser:300000:65536\n' : '',
  };
  try {
    chmodSync(place, 0o755);
    for (const name of ['repository', 'home']) mkdirSync(join(place, name));
    chmodSync(join(place, 'home'), 0o777);
    for (const [name, content] of Object.entries(files)) writeFileSync(join(place, name), content);
    // Seen from here, the checkout may lie below a directory that only root may enter.
    const node = process.execPath.startsWith(repository)
      ? join(place, 'repository', process.execPath.slice(repository.length))
      : process.execPath;
    const script = join(place, 'repository/packages/runtime/src/lifecycle/testing/rootless.ts');
    const commands = [
      'set -e',
      'mount --make-rprivate /',
      `mount --bind ${repository} ${place}/repository`,
      ...Object.keys(files)
        .filter((name) => existsSync(`/etc/${name}`))
        .map((name) => `mount --bind ${place}/${name} /etc/${name}`),
      ...delegate(group),
      `cd ${place}/home`,
      `exec setpriv --reuid ${user} --regid ${user} --clear-groups env -i PATH="$PATH" HOME=${place}/home TMPDIR=${place}/home ` +
        `${node} --conditions=source ${script} ${mode} ${group}`,
    ];
    return spawnSync('unshare', ['--mount', 'sh', '-c', commands.join('\n')], { encoding: 'utf8' });
  } finally {
    rmSync(place, { recursive: true, force: true });
    undelegate(group);
  }
}

test('an ordinary user without ranges runs, joins, limits and deletes a container', {
  skip: cannotBeOrdinary(),
}, () => {
  const { stdout, stderr } = runAsUser('own');
  assert.equal(stdout, 'all is well\n', stderr);
});

test('so does one with ranges, as any user of the container', {
  skip:
    cannotBeOrdinary('newuidmap', 'newgidmap') || (existsSync('/etc/subuid') ? false : 'needs /etc/subuid'),
}, () => {
  const { stdout, stderr } = runAsUser('ranges');
  assert.equal(stdout, 'all is well\n', stderr);
});
