import { readdirSync } from 'node:fs';
import type { CgroupRecord } from '../record.ts';
import { readCounter, readTable, withoutZeros } from './read.ts';
import type { ContainerStats } from './types.ts';
import { statsV1 } from './v1.ts';
import { statsV2 } from './v2.ts';

/** The use of huge pages: of reserved ones, as runc says it, where the kernel counts them. */
function hugetlb(path: string | undefined, version: 'v1' | 'v2'): ContainerStats['hugetlb'] {
  if (path === undefined) return {};
  const usage = version === 'v1' ? 'usage_in_bytes' : 'current';
  const names = readdirSync(path);
  const sizes = names.flatMap((name) => /^hugetlb\.(\w+)\.(?:current|usage_in_bytes)$/.exec(name)?.[1] ?? []);
  return Object.fromEntries(
    sizes.map((size) => {
      const prefix = `${path}/hugetlb.${size}`;
      const counted = names.includes(`hugetlb.${size}.rsvd.${usage}`) ? `${prefix}.rsvd` : prefix;
      const counts = withoutZeros({
        usage: readCounter(`${counted}.${usage}`),
        max: readCounter(`${counted}.max_usage_in_bytes`),
      });
      // cgroup v2 counts failures without telling the two apart.
      const failcnt =
        version === 'v1' ? readCounter(`${counted}.failcnt`) : (readTable(`${prefix}.events`)['max'] ?? 0);
      return [size, { ...counts, failcnt }];
    }),
  );
}

/** What a container's processes use, of the controllers that there are. */
export function cgroupStats(record: CgroupRecord): ContainerStats {
  const { directories } = record;
  const rest = { intel_rdt: {}, network_interfaces: null };
  const [first] = directories;
  if (first !== undefined && directories.every(({ version }) => version === 'v2')) {
    return { ...statsV2(first.path), hugetlb: hugetlb(first.path, 'v2'), ...rest };
  }
  const find = (controller: string): string | undefined =>
    directories.find(({ controllers }) => controllers.includes(controller))?.path;
  return { ...statsV1(find), hugetlb: hugetlb(find('hugetlb'), 'v1'), ...rest };
}
