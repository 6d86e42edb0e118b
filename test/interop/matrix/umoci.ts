import { readFile, readlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { output } from '../../kit/command.ts';
import { versionOf } from './containers-tools.ts';
import type { Place, Tool } from './types.ts';

const onlyLayouts = 'umoci knows layouts only';

/** umoci: unpacks what we wrote, and repacks a bundle for us. */
export const umoci: Tool = {
  name: 'umoci',
  commands: ['umoci'],
  async start({ directory, layout }) {
    let bundles = 0;
    const unpack = async (image: string): Promise<string> => {
      const bundle = join(directory, String(bundles++));
      await output('umoci', ['unpack', '--rootless', '--image', image, bundle]);
      const name = await readFile(join(bundle, 'rootfs', 'etc', 'name'), 'utf8');
      const link = await readlink(join(bundle, 'rootfs', 'link'));
      if (name !== 'matrix\n' || link !== 'etc/name') throw new Error('umoci unpacked something else');
      return bundle;
    };
    const read = async ({ at }: Place): Promise<string> => {
      await unpack(`${at}:v1`);
      const { config } = JSON.parse(await output('skopeo', ['inspect', '--raw', `oci:${at}:v1`]));
      return config.digest;
    };
    const write = async ({ at }: Place): Promise<string> => {
      await output('cp', ['-r', layout, at]);
      const bundle = await unpack(`${at}:v1`);
      await writeFile(join(bundle, 'rootfs', 'more'), 'written by umoci\n');
      return output('umoci', ['repack', '--image', `${at}:v1`, bundle]);
    };
    return {
      version: await versionOf('umoci'),
      read: ({ medium }) => (medium === 'layout' ? read : onlyLayouts),
      write: ({ medium }) => (medium === 'layout' ? write : onlyLayouts),
      [Symbol.asyncDispose]: async () => undefined,
    };
  },
};
