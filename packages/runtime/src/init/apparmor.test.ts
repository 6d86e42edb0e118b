import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { launch } from '../index.ts';
import { create } from '../lifecycle/create.ts';
import { busyboxBundle, leftovers, testId } from '../testing/busybox-bundle.ts';

/** Loading a profile changes the machine. */
const skip = process.env['OCIJS_VM'] === '1' ? false : 'needs AppArmor: npm run test:vm';

const profile = `
profile ocijs-test flags=(attach_disconnected,mediate_deleted) {
  file,
  capability,
  signal,
  deny /etc/secret r,
}
`;

function load(): void {
  if (!existsSync('/sys/kernel/security/apparmor'))
    spawnSync('mount', ['-t', 'securityfs', 'none', '/sys/kernel/security']);
  execFileSync('apparmor_parser', ['-r', '-K'], { input: profile });
}

test('the profile is that of the container, and holds', { skip }, async () => {
  load();
  using bundle = busyboxBundle('cat /proc/self/attr/current; cat /etc/secret');
  writeFileSync(join(bundle.directory, 'rootfs/etc/secret'), 'secret\n');
  bundle.change((spec) => {
    spec.process.apparmorProfile = 'ocijs-test';
  });
  await using container = await launch(bundle.directory, { root: bundle.root, stdio: 'pipe' });
  const [out, errors] = await Promise.all(
    [container.stdout, container.stderr].map((stream) => (stream ? text(stream) : '')),
  );
  await container.wait();
  assert.match(out ?? '', /^ocijs-test \(enforce\)/);
  assert.doesNotMatch(out ?? '', /secret\n/);
  assert.match(errors ?? '', /Permission denied/);
});

test('a profile that is not loaded, or a /proc that is none, ends the creation (CVE-2019-16884, CVE-2023-28642)', {
  skip,
}, async () => {
  load();
  using bundle = busyboxBundle('true');
  const stdio = ['ignore', 'ignore', 'ignore'] as const;
  bundle.change((spec) => {
    spec.process.apparmorProfile = 'no-such-profile';
  });
  await assert.rejects(create(testId(), { bundle: bundle.directory, root: bundle.root, stdio }), {
    message: /cannot set the AppArmor profile "no-such-profile"/,
  });
  bundle.change((spec) => {
    spec.process.apparmorProfile = 'ocijs-test';
    spec.mounts = [{ destination: '/proc', type: 'tmpfs', source: 'tmpfs' }];
  });
  await assert.rejects(create(testId(), { bundle: bundle.directory, root: bundle.root, stdio }), {
    code: 'ERR_OCI_SPEC_CONFLICT',
  });
  assert.deepEqual(leftovers(bundle), []);
});
