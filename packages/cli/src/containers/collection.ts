import { mkdir, readdir, readlink, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { CliError } from '../errors.ts';
import { type ContainerRecord, readRecord } from './record.ts';

/** A container of the collection. */
export interface KnownContainer {
  readonly directory: string;
  readonly record: ContainerRecord;
}

/** The containers that `run` made with one store: a directory each, below `containers` of the store. */
export interface Containers {
  /** Makes the directory of a new container and takes its name. Throws ERR_OCI_CONTAINER_NAME_TAKEN. */
  claim(id: string, name: string): Promise<string>;
  /** All containers, the newest first. */
  list(): Promise<readonly KnownContainer[]>;
  /** Finds one by name, id or the beginning of an id. Throws ERR_OCI_CONTAINER_NOT_FOUND. */
  find(nameOrId: string): Promise<KnownContainer>;
  /** Gives a container's name free. */
  release(id: string, name: string): Promise<void>;
}

/** Opens the containers that belong to a store directory; nothing is made until the first container is. */
export function openContainers(storeDirectory: string): Containers {
  const base = join(storeDirectory, 'containers');
  const names = join(base, 'names');

  async function owner(name: string): Promise<string | undefined> {
    return absentAsUndefined(readlink(join(names, name)));
  }

  async function takeName(id: string, name: string): Promise<void> {
    const link = join(names, name);
    for (let attempt = 0; attempt < 3; attempt++) {
      try {
        // The link's target is only read as text: making it is the atomic way to take a name.
        await symlink(id, link);
        return;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      }
      const other = await owner(name);
      if (other !== undefined && (await exists(join(base, other)))) {
        throw new CliError(
          'ERR_OCI_CONTAINER_NAME_TAKEN',
          `the name ${name} belongs to container ${other.slice(0, 12)}`,
          {
            hint: `remove it with \`oci rm ${name}\`, or choose another name`,
          },
        );
      }
      await rm(link, { force: true });
    }
    throw new CliError('ERR_OCI_CONTAINER_NAME_TAKEN', `the name ${name} is being taken by another process`);
  }

  async function list(): Promise<readonly KnownContainer[]> {
    const ids = ((await absentAsUndefined(readdir(base))) ?? []).filter((id) => /^[0-9a-f]{64}$/.test(id));
    const found: KnownContainer[] = [];
    for (const id of ids) {
      const directory = join(base, id);
      const record = await readRecord(directory);
      if (record !== undefined) found.push({ directory, record });
    }
    return found.sort((left, right) => (left.record.created < right.record.created ? 1 : -1));
  }

  return {
    async claim(id, name) {
      const directory = join(base, id);
      await mkdir(names, { recursive: true, mode: 0o700 });
      await mkdir(directory, { mode: 0o700 });
      try {
        await takeName(id, name);
      } catch (error) {
        await rm(directory, { recursive: true, force: true });
        throw error;
      }
      return directory;
    },
    list,
    async find(nameOrId) {
      const all = await list();
      const exact = all.filter(({ record }) => record.name === nameOrId || record.id === nameOrId);
      const isPrefix = /^[0-9a-f]{1,64}$/.test(nameOrId);
      const matching =
        exact.length > 0 || !isPrefix ? exact : all.filter(({ record }) => record.id.startsWith(nameOrId));
      const [first, second] = matching;
      if (first !== undefined && second === undefined) return first;
      throw new CliError(
        'ERR_OCI_CONTAINER_NOT_FOUND',
        first === undefined ? `no container ${nameOrId}` : `several containers begin with ${nameOrId}`,
        { hint: 'see `oci ps -a`' },
      );
    },
    async release(id, name) {
      if ((await owner(name)) === id) await rm(join(names, name), { force: true });
    },
  };
}

async function exists(path: string): Promise<boolean> {
  return (await absentAsUndefined(readdir(path))) !== undefined;
}

async function absentAsUndefined<T>(result: Promise<T>): Promise<T | undefined> {
  try {
    return await result;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
