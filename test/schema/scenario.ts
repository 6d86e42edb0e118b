import { mkdir, writeFile } from 'node:fs/promises';
import { openStore } from '@ocijs/image';
import { startRegistry } from '@ocijs/registry/server';
import { busyboxImage } from '../kit/images.ts';
import { oci, ociHome } from '../kit/oci.ts';

/** One JSON document that a command printed. */
export interface Document {
  readonly command: string;
  readonly args: readonly string[];
  readonly status: number | null;
  readonly value: unknown;
}

/** Stands for what the last `attach` made. */
const attached = '{attached}';

/** What runs every command at least once; one that fails on purpose has a `!`. */
function commandLines({ host, directory }: { readonly host: string; readonly directory: string }) {
  const image = `${host}/team/app:v1`;
  const key = `${directory}/cosign`;
  return [
    ['push', 'app:v1', image],
    ['push', 'app:v1', image],
    ['pull', image],
    ['pull', '--all-platforms', image, `${host}/team/app:v1`],
    ['pull!', `${host}/team/none:v1`],
    ['images'],
    ['inspect', image],
    ['history', image],
    ['ls', image, '/etc'],
    ['ls', '-R', image],
    ['cat!', image, '/etc/motd'],
    ['tag', image, 'other:1'],
    ['tags', `${host}/team/app`],
    ['catalog', host],
    ['copy', `docker://${image}`, `docker://${host}/team/copy:v1`],
    ['copy', `docker://${image}`, `oci:${directory}/layout:v1`],
    ['annotate', image, 'annotated:1', '--set', 'a=b'],
    ['config', image, 'configured:1', '--env', 'A=B'],
    ['append', image, 'appended:1', `${directory}/context`],
    ['squash', image, 'squashed:1'],
    ['flatten', image, 'flat:1'],
    ['rebase', 'appended:1', 'rebased:1', '--old-base', image, '--new-base', 'configured:1'],
    ['index', 'create', 'multi:1', image],
    ['manifest', 'inspect', 'multi:1'],
    ['manifest', 'create', 'multi:2', image],
    ['diff', image, 'appended:1'],
    ['diff', image, image],
    ['export', image, '-o', `${directory}/export.tar`],
    ['save', image, '-o', `${directory}/save.tar`],
    ['load', '-i', `${directory}/save.tar`],
    ['spec'],
    ['spec', image],
    ['validate', image],
    ['validate!', `${directory}/context`],
    ['unpack', image, `${directory}/bundle`],
    ['repack', `${directory}/bundle`, 'repacked:1'],
    ['build', '-t', 'built:1', `${directory}/context`],
    ['build', '--check', `${directory}/context`],
    ['build', '--call', 'outline', `${directory}/context`],
    ['build', '--call', 'targets', `${directory}/context`],
    ['explore', image],
    ['generate-key-pair', '--output-key-prefix', key],
    ['sign', '--key', `${key}.key`, image],
    ['verify', '--key', `${key}.pub`, image],
    ['verify!', '--key', `${key}.pub`, `${host}/team/copy:v1`],
    ['attach', image, `${directory}/context/file`, '--artifact-type', 'application/x.note'],
    ['artifact', 'pull', attached, '-o', `${directory}/fetched`],
    ['referrers', image],
    ['login', '--creds', 'a:b', '--authfile', `${directory}/auth.json`, host],
    ['logout', '--authfile', `${directory}/auth.json`, host],
    ['doctor'],
    ['doctor', image],
    ['completion', 'fish'],
    ['gc', '--dry-run'],
    ['fsck'],
    ['run', '-d', '--name', 'web', image, 'sh', '-c', 'echo ready; while true; do sleep 0.1; done'],
    ['ps'],
    ['exec', '-d', 'web', 'true'],
    ['stats', '--no-stream'],
    ['logs', 'web'],
    ['pause', 'web'],
    ['ps'],
    ['unpause', 'web'],
    ['kill', '-s', 'KILL', 'web'],
    ['wait', 'web'],
    ['run', '-d', '--name', 'web2', image, 'sleep', '100'],
    ['stop', '-t', '0', 'web2'],
    ['ps', '-a'],
    ['rm', 'web', 'web2'],
    ['rmi', 'other:1'],
    ['gc', '--grace', '0'],
    ['delete', `${host}/team/copy:v1`],
  ];
}

/** Runs everything with `--json`, in a store and a registry of its own, and keeps what was printed. */
export async function runScenario(directory: string): Promise<readonly Document[]> {
  const home = ociHome(directory);
  await mkdir(`${directory}/context`, { recursive: true });
  await writeFile(`${directory}/context/Dockerfile`, 'FROM scratch AS last\nARG A=1\nCOPY file /file\n');
  await writeFile(`${directory}/context/file`, 'hello\n');
  {
    await using store = await openStore(home.store);
    await busyboxImage(store, 'app:v1');
  }
  await using registry = await startRegistry({ directory: `${directory}/registry` });
  const documents: Document[] = [];
  for (const [first = '', ...words] of commandLines({ host: registry.host, directory })) {
    const args = words.map((word) => (word === attached ? lastAttached(documents) : word));
    const command = first.replace('!', '');
    const env = { COSIGN_PASSWORD: '' };
    const { status, stdout, stderr } = await oci(home, [command, '--json', ...args], { env });
    const line = `oci ${command} --json ${args.join(' ')}`;
    if (stdout === '' || (status === 0) === first.endsWith('!'))
      throw new Error(`${line} ended with ${status}: ${stderr}${stdout}`);
    documents.push({ command, args, status, value: JSON.parse(stdout) });
  }
  return documents;
}

function lastAttached(documents: readonly Document[]): string {
  const made = documents.findLast(({ command }) => command === 'attach')?.value;
  return typeof made === 'object' && made !== null && 'reference' in made ? String(made.reference) : '';
}
