import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { dirname } from 'node:path';
import { openStore } from '@ocijs/image';
import { startRegistry } from '@ocijs/registry/server';
import { type CommandResult, command, output } from '../kit/command.ts';
import { ociHome, ociProgram, runtimeProgram } from '../kit/oci.ts';
import { findCommand } from '../kit/requirements.ts';
import { type GitServer, gitServer } from './git-server.ts';
import { writeImages } from './place-images.ts';

/**
 * Where the commands of a page are run: its own store and containers, and registries of its own behind the names that
 * pages use.
 */
export interface Place extends AsyncDisposable {
  /** Runs commands in one shell, with a terminal where the machine has script(1). What they leave running is ended. */
  run(commands: string, options?: RunOptions): Promise<CommandResult>;
  /** Types a command that asks something, or goes on until somebody ends it. Its status is null when a question did not come. */
  type(line: string, answers: Answers): Promise<CommandResult>;
}

export interface RunOptions {
  readonly hasTerminal?: boolean;
  /** Variables besides those of the place. */
  readonly env?: NodeJS.ProcessEnv;
}

/** What is printed, and the keys that are then pressed, one after the other. */
export type Answers = readonly (readonly [RegExp, string])[];

/** An ordinary user, without a name. */
const ordinaryUser = 54_321;

export interface PlaceOptions {
  /** Default: everything belongs to root, and root runs it. */
  readonly asUser?: boolean;
}

/** Makes a place below `directory`. Files that pages speak of are in it. */
export async function openPlace(directory: string, { asUser = false }: PlaceOptions = {}): Promise<Place> {
  const home = ociHome(directory);
  const work = `${directory}/work`;
  await mkdir(work, { recursive: true });
  await installPrograms(directory);
  const store = await openStore(`${directory}/registry`);
  await writeImages(store);
  const registry = await startRegistry({ store });
  const git = findCommand('git') === undefined ? undefined : await gitServer(directory);
  await standIn(directory, registry.host);
  const compiled = process.env['NODE_COMPILE_CACHE'];
  const env = {
    PATH: `${directory}/bin:${process.env['PATH']}:/usr/sbin:/sbin`,
    HOME: directory,
    OCI_STORE: home.store,
    OCI_ROOT: home.root,
    OCI_NETWORK: 'none',
    OCI_HOSTS_DIR: `${directory}/hosts`,
    CONTAINERS_REGISTRIES_CONF: `${directory}/registries.conf`,
    CONTAINERS_STORAGE_CONF: `${directory}/storage.conf`,
    CONTAINERS_CONF: `${directory}/containers.conf`,
    COSIGN_PASSWORD: '',
    IMAGE: 'debian:bookworm',
    REGISTRY: registry.host,
    NO_COLOR: '1',
    TERM: 'dumb',
    // What commands of other pages compiled is compiled for these.
    ...(asUser || compiled === undefined ? {} : { NODE_COMPILE_CACHE: compiled }),
  };
  const asWritten = substitutions({ directory, host: registry.host, git, port: await freePort() });
  const shellFile = async (commands: string): Promise<string> => {
    const file = `${directory}/block.sh`;
    const text = asWritten.reduce((all, [there, here]) => all.replaceAll(there, here), commands);
    await writeFile(file, `trap 'set +e; kill $(jobs -p) 2>/dev/null; wait' EXIT\nset -e\n${text}\n`);
    return file;
  };
  const user = asUser ? { uid: ordinaryUser, gid: ordinaryUser } : {};
  const run = async (
    commands: string,
    { hasTerminal = true, env: more = {} }: RunOptions = {},
  ): Promise<CommandResult> => {
    const file = await shellFile(commands);
    const options = { env: { ...env, ...more }, cwd: work, user };
    if (!hasTerminal || findCommand('script') === undefined)
      return command('bash', [file], { ...options, ...user, timeoutMs: 200_000 });
    // Who is asked something by a shell leaves it.
    return atTerminal(file, {
      ...options,
      onOutput: (printed, press) => /[#$] \S*$/.test(printed) && press('exit\r'),
    });
  };
  const type = async (line: string, answers: Answers): Promise<CommandResult> => {
    let given = 0;
    let seen = 0;
    const onOutput = (printed: string, press: (keys: string) => void): void => {
      const [question, keys] = answers[given] ?? [];
      if (keys === undefined || !question?.test(printed.slice(seen))) return;
      given++;
      seen = printed.length;
      press(keys);
    };
    const ended = await atTerminal(await shellFile(line), { env, cwd: work, user, onOutput });
    return given === answers.length ? ended : { ...ended, status: null };
  };
  await writeFiles(work);
  if (asUser) {
    await chmod(directory, 0o755);
    await output('chown', ['--recursive', `${ordinaryUser}:${ordinaryUser}`, directory]);
  }
  await run('oci generate-key-pair --output-key-prefix team', { hasTerminal: false });

  return {
    run,
    type,
    async [Symbol.asyncDispose]() {
      await run('ids=$(oci ps -aq); if [ -n "$ids" ]; then oci rm -f $ids; fi', { hasTerminal: false });
      git?.[Symbol.dispose]();
      await registry.close();
      await store[Symbol.asyncDispose]();
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** The programs of this checkout under their names, and `docker`, for which podman stands in as Debian's podman-docker does. */
async function installPrograms(directory: string): Promise<void> {
  const bin = `${directory}/bin`;
  const node = `'${process.execPath}'`;
  const programs = {
    node: `exec ${node} "$@"`,
    // What npx would find in a checkout.
    npx: 'exec "$@"',
    docker: 'exec podman "$@"',
  };
  await mkdir(bin);
  await symlink(ociProgram, `${bin}/oci`);
  await symlink(runtimeProgram, `${bin}/oci-runtime`);
  for (const [name, line] of Object.entries(programs)) {
    await writeFile(`${bin}/${name}`, `#!/bin/sh\n${line}\n`);
    await chmod(`${bin}/${name}`, 0o755);
  }
  // What a page installs below /usr/local goes here, and finds there what npm would have installed.
  const modules = `${directory}/usr/local/lib/node_modules/@ocijs`;
  await mkdir(`${directory}/usr/local/bin`, { recursive: true });
  await mkdir(modules, { recursive: true });
  await symlink(process.execPath, `${directory}/usr/local/bin/node`);
  await symlink(dirname(dirname(runtimeProgram)), `${modules}/runtime`);
  await mkdir(`${directory}/srv/data`, { recursive: true });
  const storage = [
    '[storage]',
    'driver = "vfs"',
    `graphroot = "${directory}/podman/root"`,
    `runroot = "${directory}/podman/run"`,
  ];
  await writeFile(`${directory}/storage.conf`, `${storage.join('\n')}\n`);
  // podman's own limits are above what a container may be given where the host is one.
  const containers = [
    '[containers]',
    'default_ulimits = ["nofile=1000:1000", "nproc=1000:1000"]',
    'netns = "none"',
    '[engine]',
    'cgroup_manager = "cgroupfs"',
    'events_logger = "none"',
    `tmp_dir = "${directory}/podman/tmp"`,
  ];
  await writeFile(`${directory}/containers.conf`, `${containers.join('\n')}\n`);
}

async function writeFiles(work: string): Promise<void> {
  const files = {
    Dockerfile: 'FROM scratch AS test\nARG VERSION=1\nCOPY file /file\n',
    'deploy/Dockerfile': 'FROM debian:bookworm AS test\nCOPY file /file\n',
    file: 'hello\n',
    '.npmrc': 'token\n',
    // A Node project, and those of its workspace.
    'package.json': '{"name":"web","version":"1.0.0","main":"server.js","workspaces":["packages/*"]}',
    'package-lock.json': '{"lockfileVersion":3,"packages":{"":{},"packages/api":{},"packages/app":{}}}',
    'server.js': '',
    'packages/api/package.json': '{"name":"@web/api","version":"1.0.0","main":"index.js"}',
    'packages/api/index.js': '',
    'packages/app/package.json': '{"name":"@web/app","version":"1.0.0","main":"index.js"}',
    'packages/app/index.js': '',
  };
  for (const name of ['deploy', 'packages/api', 'packages/app'])
    await mkdir(`${work}/${name}`, { recursive: true });
  for (const [name, text] of Object.entries(files)) await writeFile(`${work}/${name}`, text);
}

/** What a page says, and what is there instead: ports that may be taken, other people's servers, the system's directories. */
function substitutions({
  directory,
  host,
  git,
  port,
}: {
  readonly directory: string;
  /** One that is free. */
  readonly port: number;
  readonly host: string;
  readonly git: GitServer | undefined;
}): readonly (readonly [string | RegExp, string])[] {
  return [
    ['localhost:5000', host],
    ['127.0.0.1:5000', `127.0.0.1:${port}`],
    [/--listen :(5000|443)\b/g, '--listen :0'],
    ['https://git.example.com', git?.url ?? 'https://git.example.com'],
    [/(?<![\w.])\/usr\/local\//g, `${directory}/usr/local/`],
    ['/srv/data', `${directory}/srv/data`],
  ];
}

/** Leads all that is asked of others to one registry: what is fetched as podman does it, the rest as containerd does. */
async function standIn(directory: string, host: string): Promise<void> {
  const places = ['docker.io', 'gcr.io', 'registry.example.com', 'quay.io', 'mirror.example.com'];
  const entries = places.map(
    (name) => `[[registry]]\nprefix = "${name}"\nlocation = "${host}"\ninsecure = true\n`,
  );
  await writeFile(`${directory}/registries.conf`, entries.join('\n'));
  for (const name of places) {
    await mkdir(`${directory}/hosts/${name}`, { recursive: true });
    await writeFile(`${directory}/hosts/${name}/hosts.toml`, `server = "http://${host}"\n`);
  }
}

/** Runs a program at a terminal, or without one where the machine has no script(1). */
async function atTerminal(
  file: string,
  {
    env,
    cwd,
    user,
    onOutput,
  }: {
    readonly env: NodeJS.ProcessEnv;
    readonly cwd: string;
    readonly user: { readonly uid?: number; readonly gid?: number };
    /** Gets all that was printed so far, and what presses keys. */
    readonly onOutput: (printed: string, press: (keys: string) => void) => void;
  },
): Promise<CommandResult> {
  const child = spawn('script', ['-qefc', `stty rows 24 columns 80; exec bash '${file}'`, '/dev/null'], {
    env,
    cwd,
    ...user,
    stdio: 'pipe',
    timeout: 200_000,
    killSignal: 'SIGKILL',
  });
  let stdout = '';
  const press = (keys: string): void => void child.stdin.write(keys);
  child.stdin.on('error', () => undefined); // it may have ended meanwhile
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk;
    onOutput(stdout, press);
  });
  const [status, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  return { status, signal, stdout, stderr: '' };
}
