import assert from 'node:assert/strict';
import { chmod, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openStore } from '@ocijs/image';
import { type CommandResult, command } from '../kit/command.ts';
import { type DockerRegistry, dockerRegistry } from '../kit/docker-registry.ts';
import { busyboxImage } from '../kit/images.ts';
import { oci, ociHome, ociProgram } from '../kit/oci.ts';
import { missing } from '../kit/requirements.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../kit/temporary.ts';
import { declared, expand, parseSteps, takeOutputs } from './workflow.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const skip = missing({ root: true, commands: ['busybox', 'docker-registry', 'jq'] });

describe('the CI job of examples/ci, against docker-registry', { skip, timeout: 300_000 }, () => {
  let temporary: TemporaryDirectory;
  let registry: DockerRegistry;
  let job: Readonly<Record<'IMAGE' | 'DIGEST' | 'KEY', string>>;

  before(async () => {
    temporary = await temporaryDirectory();
    registry = await dockerRegistry(temporary.path);
    const home = ociHome(`${temporary.path}/author`);
    const image = `${registry.host}/team/app:v1`;
    {
      await using store = await openStore(home.store);
      await busyboxImage(store, 'app:v1');
    }
    const key = `${temporary.path}/cosign`;
    const digest = (await succeed(oci(home, ['push', '-q', 'app:v1', image]))).stdout.trim();
    const env = { COSIGN_PASSWORD: '' };
    await succeed(oci(home, ['generate-key-pair', '--output-key-prefix', key], { env }));
    await succeed(oci(home, ['sign', '--key', `${key}.key`, image], { env }));
    job = { IMAGE: image, DIGEST: digest, KEY: `${key}.pub` };
    const bin = `${temporary.path}/bin`;
    await mkdir(bin);
    await writeFile(`${bin}/oci`, `#!/bin/sh\nexec '${process.execPath}' '${ociProgram}' "$@"\n`);
    await chmod(`${bin}/oci`, 0o755);
  });
  after(async () => {
    await registry?.[Symbol.asyncDispose]();
    await temporary?.[Symbol.asyncDispose]();
  });

  async function succeed(ended: Promise<CommandResult>): Promise<CommandResult> {
    const result = await ended;
    assert.equal(result.status, 0, result.stderr + result.stdout);
    return result;
  }

  /** A directory, and what a job that starts there finds: its own store, and `oci` in the path. */
  async function workplace(name: string) {
    const cwd = `${temporary.path}/${name}`;
    await mkdir(cwd);
    const home = ociHome(cwd);
    const DESTINATION = `${registry.host}/tested/${name}:v1`;
    const env = {
      PATH: `${temporary.path}/bin:${process.env['PATH']}`,
      HOME: cwd,
      CI: 'true',
      OCI_STORE: home.store,
      OCI_ROOT: home.root,
      ...job,
      DESTINATION,
    };
    const isPushed = async (): Promise<void> => {
      const { stdout } = await succeed(oci(home, ['inspect', '--json', `docker://${DESTINATION}`]));
      assert.equal((JSON.parse(stdout) as { digest: string }).digest, job.DIGEST);
    };
    return { cwd, env, isPushed };
  }

  test('as a shell script', async () => {
    const { cwd, env, isPushed } = await workplace('shell');
    const { stdout } = await succeed(command('sh', [`${root}examples/ci/job.sh`], { cwd, env }));
    assert.match(
      stdout,
      /^pulled sha256:.*\nsigned as .*\nunpacked, sh is its command\nsmoke test: works as 0\npushed /,
    );
    assert.match(await readFile(`${cwd}/report.html`, 'utf8'), /<html/);
    await isPushed();
  });

  test('as a shell script, which stops where the digest is another one, and where the signature is missing', async () => {
    const { cwd, env } = await workplace('refused');
    const run = (changes: NodeJS.ProcessEnv): Promise<CommandResult> =>
      command('sh', [`${root}examples/ci/job.sh`], { cwd, env: { ...env, ...changes } });
    const moved = await run({ DIGEST: `sha256:${'0'.repeat(64)}` });
    assert.notEqual(moved.status, 0);
    assert.doesNotMatch(moved.stdout, /signed/);
    const other = `${temporary.path}/other`;
    await succeed(
      command('oci', ['generate-key-pair', '--output-key-prefix', other], {
        env: { ...env, COSIGN_PASSWORD: '' },
      }),
    );
    const unsigned = await run({ KEY: `${other}.pub` });
    assert.notEqual(unsigned.status, 0);
    assert.doesNotMatch(unsigned.stdout, /unpacked|pushed /);
  });

  test('as a Node program', async () => {
    const { cwd, env, isPushed } = await workplace('node');
    await symlink(`${root}node_modules`, `${cwd}/node_modules`);
    await writeFile(`${cwd}/job.mjs`, await readFile(`${root}examples/ci/job.mjs`));
    const { stdout } = await succeed(command(process.execPath, ['job.mjs'], { cwd, env }));
    assert.match(
      stdout,
      /^pulled .*\nsigned as .*\nunpacked, sh .*\nsmoke test: works as 0\nreport\.json: 2 layers, .*\npushed /,
    );
    const report = JSON.parse(await readFile(`${cwd}/report.json`, 'utf8')) as {
      digest: string;
      wasted: unknown;
    };
    assert.equal(report.digest, job.DIGEST);
    assert.deepEqual(report.wasted, [
      { path: 'etc/gone', bytes: 'a whiteout removes this\n'.length, layers: [0], fate: 'removed' },
    ]);
    await isPushed();
  });

  test('as a GitHub workflow with the action', async () => {
    const { cwd, env, isPushed } = await workplace('workflow');
    const action = await readFile(`${root}action.yml`, 'utf8');
    const outputFile = `${temporary.path}/outputs`;
    await writeFile(outputFile, '');
    const values: Record<string, string> = {};
    for (const [name, value] of Object.entries(env)) values[`env.${name}`] = value;
    const inputs = declared(action, 'inputs');
    for (const step of parseSteps(await readFile(`${root}examples/ci/workflow.yml`, 'utf8'))) {
      const given = Object.fromEntries(
        Object.entries(step.with).map(([name, value]) => [name, expand(value, values)]),
      );
      for (const name of Object.keys(given))
        assert.ok(inputs.includes(name), `the action has no input ${name}`);
      const own = { ...env, GITHUB_OUTPUT: outputFile, GITHUB_ACTION_PATH: root, INPUT_BUNDLE: 'bundle' };
      for (const [name, value] of Object.entries(given))
        Object.assign(own, { [`INPUT_${name.toUpperCase()}`]: value });
      const script = step.uses === './' ? parseSteps(action)[0]?.run : step.run;
      assert.ok(script, 'a step is a script or the action');
      await succeed(command('sh', ['-ec', expand(script, values)], { cwd, env: own }));
      const outputs = await takeOutputs(outputFile);
      if (step.uses === './') assert.deepEqual(Object.keys(outputs), declared(action, 'outputs'));
      for (const [name, value] of Object.entries(outputs)) values[`steps.${step.id}.outputs.${name}`] = value;
    }
    assert.equal(values['steps.image.outputs.digest'], job.DIGEST);
    assert.match(await readFile(`${cwd}/report.json`, 'utf8'), /"wastedBytes": ?24\b/);
    assert.match(await readFile(`${cwd}/report.html`, 'utf8'), /<html/);
    await isPushed();
  });

  test('the action hands every input that it declares to its script', async () => {
    const action = await readFile(`${root}action.yml`, 'utf8');
    const script = await readFile(`${root}scripts/action.sh`, 'utf8');
    for (const name of declared(action, 'inputs')) {
      const variable = `INPUT_${name.toUpperCase()}`;
      assert.ok(action.includes(`${variable}: \${{ inputs.${name} }}`), `${name} is not handed over`);
      assert.ok(script.includes(variable), `${name} is not used`);
    }
  });
});
