import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { buildLayer, openStore, type Store, writeImage } from '@ocijs/image';
import { push } from '@ocijs/registry';
import { startRegistry } from '@ocijs/registry/server';
import { type CommandResult, command } from '../kit/command.ts';
import { oci, ociHome, ociProgram, runtimeProgram } from '../kit/oci.ts';
import { findCommand } from '../kit/requirements.ts';

/** Where the commands of a page are run: its own store and containers, and registries of its own behind the names that pages use. */
export interface Place extends AsyncDisposable {
  /** Runs commands in one shell, with a terminal where the machine has script(1). What they leave running is ended. */
  run(commands: string, options?: { readonly hasTerminal?: boolean }): Promise<CommandResult>;
}

/** Names that pages use, and what is there. */
const images = [
  'docker.io/library/debian:bookworm',
  'docker.io/library/alpine:latest',
  'registry.example.com/team/app:v1',
  'registry.example.com/team/app:v2',
  'registry.example.com/team/app:1.2',
] as const;

/** Makes a place below `directory`. Files that pages speak of are in it. */
export async function openPlace(directory: string): Promise<Place> {
  const home = ociHome(directory);
  const work = `${directory}/work`;
  const bin = `${directory}/bin`;
  await mkdir(`${work}/deploy`, { recursive: true });
  await mkdir(bin);
  const programs = { oci: ociProgram, 'oci-runtime': runtimeProgram, node: '' };
  for (const [name, program] of Object.entries(programs)) {
    await writeFile(
      `${bin}/${name}`,
      `#!/bin/sh\nexec '${process.execPath}' ${program && `'${program}'`} "$@"\n`,
    );
    await chmod(`${bin}/${name}`, 0o755);
  }
  // What npx would find in a checkout.
  await writeFile(`${bin}/npx`, '#!/bin/sh\nexec "$@"\n');
  await chmod(`${bin}/npx`, 0o755);

  const registry = await startRegistry({ directory: `${directory}/registry` });
  await writeFile(`${directory}/registries.conf`, registriesConf(registry.host));
  const env = {
    PATH: `${bin}:${process.env['PATH']}`,
    HOME: directory,
    OCI_STORE: home.store,
    OCI_ROOT: home.root,
    OCI_NETWORK: 'none',
    CONTAINERS_REGISTRIES_CONF: `${directory}/registries.conf`,
    COSIGN_PASSWORD: '',
    IMAGE: 'debian:bookworm',
    REGISTRY: registry.host,
    NO_COLOR: '1',
    TERM: 'dumb',
  };
  {
    await using store = await openStore(`${directory}/author`);
    for (const name of images) {
      await exampleImage(store, name);
      await push(name, `${registry.host}/${name.slice(name.indexOf('/') + 1)}`, { store });
    }
  }
  await oci(home, ['generate-key-pair', '--output-key-prefix', `${work}/team`], { env, cwd: work });
  await writeFile(`${work}/Dockerfile`, 'FROM scratch AS test\nARG VERSION=1\nCOPY file /file\n');
  await writeFile(`${work}/deploy/Dockerfile`, 'FROM debian:bookworm AS test\nCOPY file /file\n');
  await writeFile(`${work}/file`, 'hello\n');
  await writeFile(`${work}/.npmrc`, 'token\n');

  return {
    // The port that people use may be taken.
    run: (commands, { hasTerminal = true } = {}) =>
      runCommands(`set -e\n${commands.replaceAll('localhost:5000', registry.host)}`, {
        env,
        cwd: work,
        hasTerminal,
      }),
    async [Symbol.asyncDispose]() {
      const { stdout } = await oci(home, ['ps', '-aq'], { env });
      if (stdout.trim() !== '') await oci(home, ['rm', '-f', ...stdout.trim().split('\n')], { env });
      await registry.close();
    },
  };
}

function registriesConf(host: string): string {
  const places = ['docker.io', 'registry.example.com', 'quay.io', 'mirror.example.com'];
  return places
    .map((name) => `[[registry]]\nprefix = "${name}"\nlocation = "${host}"\ninsecure = true\n`)
    .join('\n');
}

/** Busybox under the names that pages use; `bash` too. */
async function exampleImage(store: Store, name: string): Promise<void> {
  const file = (at: string, body: Buffer, mode = 0o644) => ({
    header: { name: at, type: 'file' as const, mode, size: body.length },
    body,
  });
  const layer = await buildLayer([
    ...['bin/', 'dev/', 'proc/', 'sys/', 'tmp/', 'etc/', 'root/', 'data/'].map((at) => ({
      header: { name: at, type: 'directory' as const, mode: 0o755 },
    })),
    file('bin/busybox', await readFile(findCommand('busybox') ?? ''), 0o755),
    file('bin/bash', Buffer.from('#!/bin/sh\nexec sh "$@"\n'), 0o755),
    ...'sh cat echo id ls sleep true uname'.split(' ').map((applet) => ({
      header: { name: `bin/${applet}`, type: 'symlink' as const, linkname: 'busybox', mode: 0o777 },
    })),
    file('etc/passwd', Buffer.from('root:x:0:0:root:/root:/bin/sh\n')),
    file('etc/group', Buffer.from('root:x:0:\n')),
    file('etc/os-release', Buffer.from(`PRETTY_NAME="${name}"\n`)),
  ]);
  await writeImage(store, {
    name,
    layers: [layer],
    platform: { os: 'linux', architecture: process.arch === 'arm64' ? 'arm64' : 'amd64' },
    config: { Env: ['PATH=/bin'], Cmd: ['sh', '-c', 'echo ready'] },
  });
}

async function runCommands(
  commands: string,
  {
    env,
    cwd,
    hasTerminal,
  }: { readonly env: NodeJS.ProcessEnv; readonly cwd: string; readonly hasTerminal: boolean },
): Promise<CommandResult> {
  const file = `${cwd}/../block.sh`;
  await writeFile(file, `trap 'set +e; kill $(jobs -p) 2>/dev/null; wait' EXIT\n${commands}\n`);
  const shell = `bash ${JSON.stringify(file)}`;
  // Who is asked something in a terminal leaves.
  const leave = 'while sleep 2; do echo exit; done';
  const line =
    !hasTerminal || findCommand('script') === undefined
      ? shell
      : `(${leave}) | script -qec '${shell}' /dev/null`;
  return command('sh', ['-c', line], { env, cwd, timeoutMs: 200_000 });
}
