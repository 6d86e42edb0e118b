import { copyFile, mkdir, symlink, writeFile } from 'node:fs/promises';
import { defaultSpec, type RuntimeSpec } from '@ocijs/bundle/spec';
import { findCommand } from './requirements.ts';

/** Makes `directory/rootfs` from the machine's static busybox. Needs the package busybox-static. */
export async function busyboxRootfs(directory: string): Promise<string> {
  const rootfs = `${directory}/rootfs`;
  const busybox = findCommand('busybox');
  if (busybox === undefined) throw new Error('busybox is not installed');
  for (const name of ['bin', 'dev', 'etc', 'proc', 'sys', 'tmp', 'root'])
    await mkdir(`${rootfs}/${name}`, { recursive: true });
  await copyFile(busybox, `${rootfs}/bin/busybox`);
  for (const applet of [
    'sh',
    'true',
    'sleep',
    'cat',
    'id',
    'ls',
    'hostname',
    'echo',
    'stty',
    'tty',
    'test',
    'mount',
    'kill',
  ])
    await symlink('busybox', `${rootfs}/bin/${applet}`);
  await writeFile(
    `${rootfs}/etc/passwd`,
    'root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000::/home/app:/bin/sh\n',
  );
  await writeFile(`${rootfs}/etc/group`, 'root:x:0:\napp:x:1000:\nextra:x:2000:app\n');
  return rootfs;
}

/** Makes a bundle of busybox that runs `args` without a terminal; `change` edits its config.json. */
export async function busyboxBundle(
  directory: string,
  options: { readonly args: readonly string[]; readonly change?: (spec: RuntimeSpec) => void },
): Promise<string> {
  await busyboxRootfs(directory);
  const spec = defaultSpec();
  if (spec.process) {
    spec.process.args = [...options.args];
    spec.process.terminal = false;
  }
  options.change?.(spec);
  await writeFile(`${directory}/config.json`, JSON.stringify(spec));
  return directory;
}
