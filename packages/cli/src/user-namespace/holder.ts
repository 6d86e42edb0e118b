import { once } from 'node:events';
import type { OwnOverlay } from '@ocijs/bundle';
import type { RootlessPlan } from '../run/rootless.ts';
import { spawnInUserNamespace } from './spawn.ts';

/** A user namespace in which an overlay is mounted, until a container joins it. Disposing ends what keeps it open. */
export interface OverlayHolder extends Disposable {
  /** The files of namespaces for a container to join. */
  readonly namespaces: { readonly user: string; readonly mount: string };
  /** The root file system as it is seen in there. */
  readonly view: string;
}

/** Options of {@link holdOverlay}. */
export interface HoldOverlayOptions {
  readonly plan: Pick<RootlessPlan, 'options'>;
  /** Changes need not survive a power failure. */
  readonly temporary: boolean;
}

/**
 * Mounts, says so, and waits until the caller closes its end or is no more. The layers are named from their directory: a page
 * of options is enough for hundreds then.
 */
const script = `
cd "$1/lower" || exit
options="lowerdir=$2,upperdir=../overlay/upper,workdir=../overlay/work,userxattr"
for more in $3 ""; do
  mount -i -t overlay -o "$options$more" overlay "$1/rootfs" && break
done || exit
echo mounted
read -r _`;

/**
 * Mounts an overlay in a new user namespace. Undefined where the kernel does not let an ordinary user do that: it takes Linux
 * 5.11, and a file system for the changes that overlayfs can use.
 */
export async function holdOverlay(
  { directory, rootfs, lower }: OwnOverlay,
  { plan, temporary }: HoldOverlayOptions,
): Promise<OverlayHolder | undefined> {
  const words = ['sh', '-c', script, 'overlay', directory, lower.join(':'), temporary ? ',volatile' : ''];
  const { pid, child, ended } = await spawnInUserNamespace(words, {
    plan,
    stdio: ['pipe', 'pipe', 'ignore'],
    followsMounts: true,
  });
  using cleanup = new DisposableStack();
  cleanup.defer(() => child.kill('SIGKILL'));
  const { stdout } = child;
  const isMounted = stdout === null ? Promise.resolve(false) : once(stdout, 'data').then(() => true);
  if (!(await Promise.race([isMounted, ended.then(() => false)]))) return undefined;
  const resources = cleanup.move();
  return {
    namespaces: { user: `/proc/${pid}/ns/user`, mount: `/proc/${pid}/ns/mnt` },
    view: `/proc/${pid}/root${rootfs}`,
    [Symbol.dispose]: () => resources.dispose(),
  };
}
