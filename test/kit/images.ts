import { readFile } from 'node:fs/promises';
import { buildLayer, type Descriptor, type Store, writeImage } from '@ocijs/image';
import { findCommand } from './requirements.ts';

const applets = [
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
  'head',
];

/** Writes a small image of the machine's static busybox into `store`, two layers, under `name`. */
export async function busyboxImage(store: Store, name: string): Promise<Descriptor> {
  const path = findCommand('busybox');
  if (path === undefined) throw new Error('busybox is not installed');
  const directory = (at: string, mode = 0o755) => ({
    header: { name: at, type: 'directory' as const, mode },
  });
  const file = (at: string, text: string | Uint8Array, mode = 0o644) => {
    const body = typeof text === 'string' ? Buffer.from(text) : text;
    return { header: { name: at, type: 'file' as const, mode, size: body.length }, body };
  };
  const base = await buildLayer(
    [
      ...['bin/', 'dev/', 'etc/', 'proc/', 'sys/', 'root/'].map((at) => directory(at)),
      directory('tmp/', 0o1777),
      file('bin/busybox', await readFile(path), 0o755),
      ...applets.map((applet) => ({
        header: { name: `bin/${applet}`, type: 'symlink' as const, linkname: 'busybox', mode: 0o777 },
      })),
      file('etc/passwd', 'root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000::/home/app:/bin/sh\n'),
      file('etc/group', 'root:x:0:\napp:x:1000:\nextra:x:2000:app\n'),
      file('etc/gone', 'a whiteout removes this\n'),
      file('etc/os-release', 'PRETTY_NAME="ocijs test image"\n'),
    ],
    { compression: 'gzip' },
  );
  const changes = await buildLayer([file('etc/.wh.gone', ''), file('etc/motd', 'hello\n')], {
    compression: 'zstd',
  });
  return writeImage(store, {
    name,
    layers: [base, changes],
    platform: { os: 'linux', architecture: process.arch === 'arm64' ? 'arm64' : 'amd64' },
    config: { Env: ['PATH=/bin', 'GREETING=hello'], Cmd: ['sh'], WorkingDir: '/root' },
  });
}
