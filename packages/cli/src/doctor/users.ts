import { parseRanges } from '../run/rootless.ts';
import { callingUser } from '../user.ts';
import type { Check } from './check.ts';

export const userNamespaceCheck: Check = async (host) => {
  const name = 'user namespaces';
  const limit = (await host.read('/proc/sys/user/max_user_namespaces'))?.trim();
  if (limit === undefined)
    return { name, verdict: 'missing', found: 'not in this kernel', remedy: 'run as root' };
  if (limit === '0') {
    const remedy = 'allow them with `sysctl user.max_user_namespaces=10000`, or run as root';
    return { name, verdict: 'missing', found: 'switched off', remedy };
  }
  const unshare = await host.program('unshare');
  if (unshare === undefined || (await host.succeeds(unshare, ['--user', 'true']))) {
    return { name, verdict: 'ok', found: unshare === undefined ? `up to ${limit}` : 'work' };
  }
  const apparmor = (await host.read('/proc/sys/kernel/apparmor_restrict_unprivileged_userns'))?.trim();
  const remedy =
    apparmor === '1'
      ? 'allow them with `sysctl kernel.apparmor_restrict_unprivileged_userns=0`, or run as root'
      : 'allow them with `sysctl kernel.unprivileged_userns_clone=1`, or run as root';
  return { name, verdict: 'missing', found: 'refused to this user', remedy };
};

export const subordinateIdsCheck: Check = async (host) => {
  const name = 'subordinate ids';
  const { uid, username } = callingUser();
  const user = username || String(uid);
  const count = async (path: string): Promise<number> =>
    parseRanges((await host.read(path)) ?? '', { uid, username }).reduce((sum, { size }) => sum + size, 0);
  const [uids, gids] = [await count('/etc/subuid'), await count('/etc/subgid')];
  const found = `${uids} user ids, ${gids} group ids for ${user}`;
  if (host.isRoot || (uids >= 65_536 && gids >= 65_536)) return { name, verdict: 'ok', found };
  return {
    name,
    verdict: 'limited',
    found,
    remedy: `only root exists in containers; add ranges: usermod --add-subuids 100000-165535 --add-subgids 100000-165535 ${user}`,
  };
};

export const idHelpersCheck: Check = async (host) => {
  const name = 'newuidmap, newgidmap';
  const paths = await Promise.all(['newuidmap', 'newgidmap'].map((program) => host.program(program)));
  const found = paths.filter((path) => path !== undefined).join(' ') || 'not installed';
  if (host.isRoot || !paths.includes(undefined)) return { name, verdict: 'ok', found };
  return { name, verdict: 'limited', found, remedy: 'install the package uidmap (shadow-utils on Fedora)' };
};
