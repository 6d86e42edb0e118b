import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import type { OwnOverlay } from '@ocijs/bundle';
import type { RootlessPlan } from '../run/rootless.ts';
import { spawnInUserNamespace } from './spawn.ts';

/** A user namespace in which an overlay is mounted, until a container joins it. Disposing ends what keeps it open. */
export interface OverlayHolder extends Disposable {
  /** The files of namespaces for a container to join. */
  readonly namespaces: { readonly user: string; readonly mount: string };
  readonly driver: OverlayDriver;
}

/** What mounts overlays: the kernel, or a program of the user. */
export type OverlayDriver = 'overlayfs' | 'fuse-overlayfs';

/** Options of {@link holdOverlay}. */
export interface HoldOverlayOptions {
  readonly plan: Pick<RootlessPlan, 'options'>;
  /** Changes need not survive a power failure. */
  readonly temporary: boolean;
}

/**
 * Mounts, says which process keeps it and what mounted it, and waits until the caller closes its end or is no more. The
 * layers are named from their directory: a page of options is enough for hundreds then.
 *
 * fuse-overlayfs is a process that must end with the container, and stays outside of the mount namespace that the container is in:
 * when that one is gone, nobody has the file system mounted any more, and the kernel tells it so.
 */
const script = `
cd "$1/lower" || exit
for more in $4 ""; do
  mount -i -t overlay -o "lowerdir=$2,upperdir=../overlay/upper,workdir=../overlay/work,userxattr$more" overlay "$1/rootfs" || continue
  echo "$$ overlayfs"
  read -r _
  exit
done
case "$1" in *[,:\\\\]*) exit ;; esac
options="lowerdir=$3,upperdir=$1/overlay/upper,workdir=$1/overlay/work"
fuse-overlayfs -o "$options" "$1/rootfs" < /dev/null > /dev/null || exit
exec 5<&0 6>&1
unshare --mount --propagation private sh -c 'echo; exec > /dev/null; echo "$$ fuse-overlayfs" >&6; exec 6>&-; read -r _ <&5' | {
  exec 6>&-
  read -r _
  umount -l "$1/rootfs"
}`;

/**
 * Mounts an overlay in a new user namespace: the kernel's (Linux 5.11, and a file system for the changes that it can use), else
 * by fuse-overlayfs. Undefined where an ordinary user can have neither.
 */
export async function holdOverlay(
  { directory, lower }: OwnOverlay,
  { plan, temporary }: HoldOverlayOptions,
): Promise<OverlayHolder | undefined> {
  const absolute = lower.map((name) => `${directory}/lower/${name}`);
  const names = [lower, absolute].map((each) => each.join(':'));
  const words = ['sh', '-c', script, 'overlay', directory, ...names, temporary ? ',volatile' : ''];
  const { child, ended } = await spawnInUserNamespace(words, {
    plan,
    stdio: ['pipe', 'pipe', 'ignore'],
    followsMounts: true,
  });
  using cleanup = new DisposableStack();
  const { stdin, stdout } = child;
  // What waits, waits for its end.
  cleanup.defer(() => stdin?.destroy());
  const said = /^(\d+) (overlayfs|fuse-overlayfs)$/.exec(stdout === null ? '' : await firstLine(stdout));
  if (said === null) {
    await ended;
    return undefined;
  }
  const [, pid, driver] = said;
  const resources = cleanup.move();
  return {
    namespaces: { user: `/proc/${pid}/ns/user`, mount: `/proc/${pid}/ns/mnt` },
    driver: driver as OverlayDriver,
    [Symbol.dispose]: () => resources.dispose(),
  };
}

async function firstLine(input: Readable): Promise<string> {
  for await (const line of createInterface({ input })) return line;
  return '';
}
