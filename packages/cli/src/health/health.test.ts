import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { RunFlagValues } from '../run/flags.ts';
import {
  type ContainerHome,
  containerHome,
  containerImage,
  skipContainers,
  until,
} from '../testing/containers.testkit.ts';
import { healthConfig } from './config.ts';
import { afterProbe, type HealthState, readHealth, untested } from './state.ts';

const none: RunFlagValues = {
  interactive: false,
  tty: false,
  detach: false,
  rm: false,
  'read-only': false,
  privileged: false,
};
const usage = { code: 'ERR_OCI_USAGE' };

describe('what is checked', () => {
  const image = { Test: ['CMD-SHELL', 'curl -f localhost'], Interval: 5e9, Retries: 2 };

  test('is what the image says, with Docker’s times', () => {
    assert.deepEqual(healthConfig(image, none), {
      command: ['/bin/sh', '-c', 'curl -f localhost'],
      interval: 5000,
      timeout: 30_000,
      retries: 2,
      startPeriod: 0,
      startInterval: 5000,
    });
    assert.deepEqual(healthConfig({ Test: ['CMD', 'check', 'it'] }, none)?.command, ['check', 'it']);
    assert.equal(healthConfig({ Test: ['NONE'] }, none), undefined);
    assert.equal(healthConfig(undefined, none), undefined);
    assert.deepEqual(healthConfig(image, none, { shell: ['/bin/bash', '-c'] })?.command[0], '/bin/bash');
  });

  test('is what flags say instead', () => {
    const flags = {
      ...none,
      'health-cmd': 'true',
      'health-interval': '1m',
      'health-timeout': '100ms',
      'health-retries': 1,
    };
    const { command, interval, timeout, retries } = healthConfig(image, flags) ?? {};
    assert.deepEqual([command, interval, timeout, retries], [['/bin/sh', '-c', 'true'], 60_000, 100, 1]);
    assert.equal(healthConfig(image, { ...none, 'no-healthcheck': true }), undefined);
    assert.throws(() => healthConfig(image, { ...flags, 'no-healthcheck': true }), usage);
    assert.throws(() => healthConfig(image, { ...none, 'health-interval': 'x' }), usage);
    assert.throws(() => healthConfig(image, { ...none, 'health-timeout': '0' }), usage);
  });
});

describe('how a container is', () => {
  const probe = (exitCode: number) => ({ start: 's', end: 'e', exitCode, output: '' });
  const after = (
    codes: readonly number[],
    options: { readonly retries: number; readonly isStarting: boolean },
  ): HealthState =>
    codes.reduce<HealthState>((state, code) => afterProbe(state, probe(code), options), untested);
  const usual = { retries: 3, isStarting: false };

  test('is healthy after one success, unhealthy after so many failures in a row', () => {
    assert.equal(after([], usual).status, 'starting');
    assert.equal(after([0], usual).status, 'healthy');
    assert.equal(after([1, 1], usual).status, 'starting');
    assert.equal(after([0, 1, 1], usual).status, 'healthy');
    assert.equal(after([0, 1, 1, 1], usual).status, 'unhealthy');
    assert.equal(after([1, 1, 1, 0], usual).status, 'healthy');
    assert.equal(after([1, 1, 0, 1], usual).failingStreak, 1);
  });

  test('is not held against it in the start period, until it was healthy once', () => {
    const starting = { retries: 1, isStarting: true };
    assert.equal(after([1, 1, 1], starting).status, 'starting');
    assert.equal(after([1, 0, 1], starting).status, 'unhealthy');
  });

  test('is told with the last five checks', () => {
    assert.equal(after([1, 2, 3, 4, 5, 6], usual).log.length, 5);
    assert.equal(after([1, 2, 3, 4, 5, 6], usual).log[0]?.exitCode, 2);
  });

  test('is not read from a file that says something else', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'oci-health-'));
    try {
      assert.equal(await readHealth(directory), undefined);
      await writeFile(join(directory, 'health.json'), '{"status":');
      await assert.rejects(readHealth(directory), { code: 'ERR_OCI_CONTAINER_INVALID' });
    } finally {
      await rm(directory, { recursive: true });
    }
  });
});

describe('oci run with health checks and --init', { skip: skipContainers, timeout: 300_000 }, () => {
  let home: ContainerHome;
  interface Listed {
    readonly name: string;
    readonly health?: HealthState;
  }

  before(async () => {
    home = await containerHome();
  });
  after(() => home?.[Symbol.asyncDispose]());

  const healthOf = async (name: string): Promise<HealthState | undefined> =>
    ((await home.json('ps', '-a')) as Listed[]).find((container) => container.name === name)?.health;
  const quick = ['--health-interval', '50ms', '--health-retries', '2'];

  test('a container in the background becomes healthy and unhealthy as its check says', async () => {
    const check = 'cat /tmp/well; test -e /tmp/well';
    await home.background('patient', 'echo ready; sleep 1000', '--health-cmd', check, ...quick);
    await until(async () => (await healthOf('patient'))?.status === 'unhealthy');
    assert.match((await healthOf('patient'))?.log.at(-1)?.output ?? '', /\/tmp\/well/);
    assert.match(await home.ok('ps'), /running \(unhealthy\)/);
    await home.ok('exec', 'patient', 'sh', '-c', 'echo fine > /tmp/well');
    await until(async () => (await healthOf('patient'))?.status === 'healthy');
    assert.equal((await healthOf('patient'))?.log.at(-1)?.output, 'fine\n');
    const found = await home.json('ps', '--filter', 'health=healthy');
    assert.equal((found as Listed[]).length, 1);
    await home.ok('stop', '-t', '0', 'patient');
    await until(async () => (await healthOf('patient')) === undefined);
    await home.ok('rm', 'patient');
  });

  test('a check that takes too long, and one that is not there, are failures', async () => {
    await home.background(
      'slow',
      'echo ready; sleep 1000',
      '--health-cmd',
      'sleep 1000',
      '--health-timeout',
      '100ms',
      ...quick,
    );
    await until(async () => (await healthOf('slow'))?.status === 'unhealthy');
    assert.match((await healthOf('slow'))?.log.at(-1)?.output ?? '', /longer than 100 ms/);
    await home.ok('rm', '-f', 'slow');
  });

  test('--init is process 1: it reaps, and ends as the command ends', async () => {
    const script = 'cat /proc/1/cmdline; echo; for i in 1 2 3; do (true & true); done; exit 5';
    const { status, stdout, stderr } = await home.oci(
      'run',
      '--rm',
      '--init',
      containerImage,
      'sh',
      '-c',
      script,
    );
    assert.equal(status, 5, stderr);
    assert.ok(stdout.startsWith('/dev/init\0sh\0-c\0'), JSON.stringify(stdout));
    assert.equal((await home.oci('run', '--rm', '--init', containerImage, 'no-such-command')).status, 127);
  });

  test('with --init a command without a handler ends by SIGTERM, as anywhere else', async () => {
    await home.background('plain', 'echo ready; exec sleep 1000', '--init', '--stop-signal', 'TERM');
    await home.ok('stop', '-t', '100', 'plain');
    assert.equal(await home.ok('wait', 'plain'), '143\n');
    await home.ok('rm', 'plain');
  });

  test('-dt gives a terminal whose output is in the log; labels and ids are kept', async () => {
    const file = join(home.directory, 'id');
    const flags = ['--label', 'tier=web', '--label', 'plain', '--cidfile', file, '--shm-size', '8m'];
    await home.ok(
      'run',
      '-dt',
      '--name',
      'terminal',
      ...flags,
      containerImage,
      'sh',
      '-c',
      'stty size; echo done; sleep 1000',
    );
    await until(async () => (await home.ok('logs', 'terminal')).includes('done\r\n'));
    const [found] = (await home.json('ps', '--filter', 'label=tier=web')) as { id: string; labels: object }[];
    assert.deepEqual(found?.labels, { tier: 'web', plain: '' });
    const again = await home.oci('run', '--cidfile', file, containerImage, 'true');
    assert.equal(again.status, 2);
    assert.match(again.stderr, /--cidfile/);
    await home.ok('rm', '-fv', 'terminal');
  });
});
