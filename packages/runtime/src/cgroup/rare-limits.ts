import type { Resources } from '@ocijs/bundle/spec';
import { RuntimeError } from '../errors.ts';
import type { CgroupWrite } from './writes.ts';

/**
 * Limits of huge pages. What is reserved counts too where the kernel can tell: a process that is over its limit then gets
 * an error from mmap(2), not SIGBUS when it touches the page.
 */
export function hugePageWrites(
  limits: Resources['hugepageLimits'] = [],
  suffix: 'limit_in_bytes' | 'max',
): CgroupWrite[] {
  return limits.flatMap(({ pageSize, limit }) => {
    const value = BigInt(limit).toString();
    return [
      { controller: 'hugetlb', file: `hugetlb.${pageSize}.${suffix}`, value },
      { controller: 'hugetlb', file: `hugetlb.${pageSize}.rsvd.${suffix}`, value, optional: true },
    ];
  });
}

/** Limits of RDMA devices, the same in v1 and v2. */
export function rdmaWrites(rdma: Resources['rdma'] = {}): CgroupWrite[] {
  return Object.entries(rdma).flatMap(([device, { hcaHandles, hcaObjects }]) => {
    const limits = [
      ...(hcaHandles === undefined ? [] : [`hca_handle=${hcaHandles}`]),
      ...(hcaObjects === undefined ? [] : [`hca_object=${hcaObjects}`]),
    ];
    return limits.length === 0
      ? []
      : [{ controller: 'rdma', file: 'rdma.max', value: [device, ...limits].join(' ') }];
  });
}

/** The class of the container's packets, and their priorities by interface: v1 has them. */
export function networkV1(network: Resources['network'] = {}): CgroupWrite[] {
  const { classID, priorities = [] } = network;
  return [
    ...(classID ? [{ controller: 'net_cls', file: 'net_cls.classid', value: String(classID) }] : []),
    ...priorities.map(({ name, priority }) => ({
      controller: 'net_prio',
      file: 'net_prio.ifpriomap',
      value: `${name} ${priority}`,
    })),
  ];
}

/** In v2 there is nothing to set: ERR_OCI_CGROUP_MISSING where something is asked for. */
export function refuseNetworkV2(network: Resources['network'] = {}): void {
  if (!network.classID && (network.priorities ?? []).length === 0) return;
  throw new RuntimeError(
    'ERR_OCI_CGROUP_MISSING',
    'config.json: $.linux.resources.network cannot be set: cgroup v2 has no network classes and priorities',
    {
      jsonPath: '$.linux.resources.network',
      hint: 'Remove it; with cgroup v2, packets are told apart by an nftables rule on the group (socket cgroupv2).',
    },
  );
}
