import { open } from 'node:fs/promises';
import { environment } from '../env.ts';
import { usageError } from '../errors.ts';
import { systemMeaning } from '../render/system-error.ts';

/** Docker's limit for a secret, in bytes. */
const MAX_SECRET_BYTES = 500 * 1024;

/** Reads `--secret id=NAME[,src=FILE|,env=VARIABLE]`; without either, the variable or file of the name. Throws ERR_OCI_USAGE. */
export async function readSecrets(texts: readonly string[] = []): Promise<ReadonlyMap<string, Uint8Array>> {
  const secrets = new Map<string, Uint8Array>();
  for (const text of texts) {
    const fields = new Map(text.split(',').map((field) => splitField(field, text)));
    const id = fields.get('id');
    if (!id) throw usageError(`--secret ${text} has no id`, 'write --secret id=NAME,src=FILE');
    const file = fields.get('src') ?? fields.get('source');
    const variable =
      fields.get('env') ?? (file === undefined && environment[id] !== undefined ? id : undefined);
    secrets.set(id, variable === undefined ? await readSecret(file ?? id) : fromVariable(variable));
  }
  return secrets;
}

function splitField(field: string, text: string): [string, string] {
  const [, name = '', value = ''] = /^(\w+)=(.*)$/.exec(field) ?? [];
  if (['id', 'src', 'source', 'env', 'type'].includes(name)) return [name, value];
  throw usageError(`--secret ${text} is not id=NAME,src=FILE`);
}

function fromVariable(name: string): Uint8Array {
  const value = environment[name];
  if (value === undefined) throw usageError(`--secret: the variable ${name} is not set`);
  return Buffer.from(value);
}

async function readSecret(file: string): Promise<Uint8Array> {
  await using handle = await open(file, 'r').catch((error: NodeJS.ErrnoException) => {
    throw usageError(`--secret: ${file} cannot be read: ${systemMeaning(error)}`);
  });
  const { size } = await handle.stat();
  if (size > MAX_SECRET_BYTES) throw usageError(`--secret: ${file} is larger than ${MAX_SECRET_BYTES} bytes`);
  return handle.readFile();
}

/** Reads `--ssh default` and `--ssh ID=SOCKET`; the agent of this user's `SSH_AUTH_SOCK` by itself. Throws ERR_OCI_USAGE. */
export function parseAgents(texts: readonly string[] = []): ReadonlyMap<string, string> {
  return new Map(
    texts.map((text) => {
      const [, id = '', given] = /^([^=]+)(?:=(.+))?$/.exec(text) ?? [];
      const socket = given ?? environment['SSH_AUTH_SOCK'];
      if (id === '') throw usageError(`--ssh ${text} is not ID=SOCKET`);
      if (socket === undefined)
        throw usageError(`--ssh ${text}: there is no agent; SSH_AUTH_SOCK is not set`);
      return [id, socket] as const;
    }),
  );
}
