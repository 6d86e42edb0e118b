import { readdirSync } from 'node:fs';
import type { CgroupRecord } from '../record.ts';
import { readCounter, withoutZeros } from './read.ts';
import type { ContainerStats } from './types.ts';
import { statsV1 } from './v1.ts';
import { statsV2 } from './v2.ts';

function hugetlb(path: string | undefined, version: 'v1' | 'v2'): ContainerStats['hugetlb'] {
  if (path === undefined) return {};
  const [usage, max, failures] =
    version === 'v1' ? ['usage_in_bytes', 'max_usage_in_bytes', 'failcnt'] : ['current', '', 'events'];
  const sizes = readdirSync(path).flatMap(
    (name) => /^hugetlb\.(\w+)\.(?:current|usage_in_bytes)$/.exec(name)?.[1] ?? [],
  );
  return Object.fromEntries(
    sizes.map((size) => {
      const file = (name: string | undefined): string => `${path}/hugetlb.${size}.${name}`;
      const counts = withoutZeros({
        usage: readCounter(file(usage)),
        max: max === '' ? 0 : readCounter(file(max)),
      });
      return [size, { ...counts, failcnt: version === 'v1' ? readCounter(file(failures)) : 0 }];
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
