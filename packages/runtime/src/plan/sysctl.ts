import type { NamespaceType } from '@ocijs/bundle/spec';
import { conflict, type PlanContext } from './context.ts';
import { initStep, type Step } from './step.ts';

const ipcKeys: ReadonlySet<string> = new Set([
  'kernel/msgmax',
  'kernel/msgmnb',
  'kernel/msgmni',
  'kernel/sem',
  'kernel/shmall',
  'kernel/shmmax',
  'kernel/shmmni',
  'kernel/shm_rmid_forced',
]);

/** The namespace that a key belongs to; other keys would change the host. */
function namespaceOf(key: string): NamespaceType | undefined {
  if (key.startsWith('net/')) return 'network';
  if (ipcKeys.has(key) || key.startsWith('fs/mqueue/')) return 'ipc';
  if (key === 'kernel/domainname' || key === 'kernel/hostname') return 'uts';
  if (key.startsWith('user/')) return 'user';
  return undefined;
}

/** In `net.ipv4.conf.eth0/1.x` the first separator decides: dots and slashes are exchanged when it is a dot. */
function sysctlPath(key: string): string {
  const first = /[./]/.exec(key)?.[0];
  if (first !== '.') return key;
  return key.replace(/[./]/g, (separator) => (separator === '.' ? '/' : '.'));
}

/** Kernel parameters of the container's own namespaces. Throws ERR_OCI_SPEC_CONFLICT for those of the host. */
export function planSysctl(context: PlanContext): Step[] {
  return Object.entries(context.input.spec.linux?.sysctl ?? {}).map(([key, value]) => {
    const jsonPath = `$.linux.sysctl[${JSON.stringify(key)}]`;
    const path = sysctlPath(key);
    const namespace = namespaceOf(path);
    if (
      namespace === undefined ||
      path.split('/').some((part) => part === '' || part === '.' || part === '..')
    ) {
      throw conflict(jsonPath, 'is not a parameter of a namespace');
    }
    if (!context.created.has(namespace) && !context.joined.has(namespace)) {
      throw conflict(jsonPath, `needs an own ${namespace} namespace`);
    }
    const fields = { path: `sys/${path}`, value };
    return initStep('writeProc', { purpose: `set the kernel parameter ${key}`, jsonPath, fields });
  });
}
