import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Process, RuntimeSpec } from '@ocijs/bundle/spec';
import { launch } from '@ocijs/runtime';
import { busyboxBundle } from '../../kit/busybox.ts';
import { missing } from '../../kit/requirements.ts';

/** Why containers cannot be attacked here; false when they can. */
export const skip: string | false = missing({ root: true, commands: ['busybox'] });

/** A configuration whose parts are there. */
export type Spec = RuntimeSpec & { process: Process; linux: NonNullable<RuntimeSpec['linux']> };

/** What a container did, or why there was none. */
export interface Outcome {
  readonly out: string;
  readonly code?: number;
  readonly error?: { readonly code: string; readonly message: string };
}

/** A bundle that an attacker made, and a directory of the host that no container may touch. */
export interface Arena extends Disposable {
  readonly bundle: string;
  readonly rootfs: string;
  readonly canary: string;
  /** Runs a shell script to its end, or tells why the container could not be made. */
  run(script: string, change?: (spec: Spec) => void): Promise<Outcome>;
  /** Fails when the canary was touched, or a mount reached the host. */
  check(): void;
}

/** Makes an arena below the temporary files. */
export async function makeArena(): Promise<Arena> {
  const directory = mkdtempSync(join(tmpdir(), 'ocijs-attack-'));
  const bundle = join(directory, 'bundle');
  const canary = join(directory, 'canary');
  await mkdir(canary);
  await mkdir(bundle);
  writeFileSync(join(canary, 'ptmx'), 'canary');
  await busyboxBundle(bundle, { args: ['true'] });
  const run = async (script: string, change?: (spec: Spec) => void): Promise<Outcome> => {
    const spec = JSON.parse(readFileSync(join(bundle, 'config.json'), 'utf8')) as Spec;
    spec.process.args = ['sh', '-c', script];
    change?.(spec);
    try {
      await using container = await launch(
        { directory: bundle, config: spec },
        { root: join(directory, 'state'), stdio: 'pipe' },
      );
      const streams = [container.stdout, container.stderr].map((stream) => (stream ? text(stream) : ''));
      const { exitCode } = await container.wait();
      return { out: (await Promise.all(streams)).join(''), code: exitCode };
    } catch (error) {
      const { code, message } = error as Outcome['error'] & object;
      return { out: '', error: { code, message } };
    }
  };
  return {
    bundle,
    rootfs: join(bundle, 'rootfs'),
    canary,
    run,
    check: () => {
      assert.deepEqual(readdirSync(canary), ['ptmx']);
      assert.equal(readFileSync(join(canary, 'ptmx'), 'utf8'), 'canary');
      assert.equal(readFileSync('/proc/self/mountinfo', 'utf8').includes(directory), false);
    },
    [Symbol.dispose]: () => rmSync(directory, { recursive: true, force: true }),
  };
}
