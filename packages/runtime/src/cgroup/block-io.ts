import type { BlockIoDevice, BlockIoResources } from '@ocijs/bundle/spec';
import { RuntimeError } from '../errors.ts';
import { blockIoWeightToIoWeight } from './convert.ts';
import type { CgroupWrite } from './writes.ts';

type Throttled =
  | 'throttleReadBpsDevice'
  | 'throttleWriteBpsDevice'
  | 'throttleReadIOPSDevice'
  | 'throttleWriteIOPSDevice';

/** The name of each throttle in v1's files and in v2's `io.max`. */
const throttles: Readonly<Record<Throttled, readonly [v1: string, v2: string]>> = {
  throttleReadBpsDevice: ['read_bps', 'rbps'],
  throttleWriteBpsDevice: ['write_bps', 'wbps'],
  throttleReadIOPSDevice: ['read_iops', 'riops'],
  throttleWriteIOPSDevice: ['write_iops', 'wiops'],
};

function numbers({ major, minor }: BlockIoDevice): string {
  return `${major}:${minor}`;
}

function throttleWrites(
  blockIO: BlockIoResources,
  write: (names: readonly [string, string], device: string, rate: bigint) => CgroupWrite,
): CgroupWrite[] {
  return Object.entries(throttles).flatMap(([name, names]) =>
    (blockIO[name as Throttled] ?? []).map((entry) => write(names, numbers(entry), BigInt(entry.rate ?? 0))),
  );
}

/** Weights of a kernel whose only proportional scheduler is BFQ have other names. */
function weightV1(name: string, value: string): CgroupWrite {
  return {
    controller: 'blkio',
    file: `blkio.${name}`,
    value,
    alternatives: [{ file: `blkio.bfq.${name}`, value }],
  };
}

/** Block device limits of a v1 group. */
export function blockIoV1(blockIO: BlockIoResources): CgroupWrite[] {
  const { weight, leafWeight, weightDevice = [] } = blockIO;
  return [
    ...(weight ? [weightV1('weight', String(weight))] : []),
    ...(leafWeight ? [{ controller: 'blkio', file: 'blkio.leaf_weight', value: String(leafWeight) }] : []),
    ...weightDevice.flatMap((device) => [
      ...(device.weight ? [weightV1('weight_device', `${numbers(device)} ${device.weight}`)] : []),
      ...(device.leafWeight
        ? [
            {
              controller: 'blkio',
              file: 'blkio.leaf_weight_device',
              value: `${numbers(device)} ${device.leafWeight}`,
            },
          ]
        : []),
    ]),
    ...throttleWrites(blockIO, ([name], device, rate) => ({
      controller: 'blkio',
      file: `blkio.throttle.${name}_device`,
      value: `${device} ${rate}`,
    })),
  ];
}

/** BFQ takes the weight as it is; otherwise its range is stretched to that of `io.weight`. */
function weightV2(weight: number, device?: string): CgroupWrite {
  const prefix = device === undefined ? '' : `${device} `;
  const value = `${prefix}${blockIoWeightToIoWeight(weight)}`;
  return {
    controller: 'io',
    file: 'io.bfq.weight',
    value: `${prefix}${weight}`,
    alternatives: [{ file: 'io.weight', value }],
  };
}

/** Block device limits of a v2 group. Throws ERR_OCI_CGROUP_MISSING for leaf weights, which only old kernels' v1 had. */
export function blockIoV2(blockIO: BlockIoResources): CgroupWrite[] {
  const { weight, leafWeight, weightDevice = [] } = blockIO;
  if (leafWeight || weightDevice.some((device) => device.leafWeight)) {
    throw new RuntimeError(
      'ERR_OCI_CGROUP_MISSING',
      'a leafWeight cannot be set: cgroup v2 has no leaf weights',
      {
        jsonPath: '$.linux.resources.blockIO',
      },
    );
  }
  return [
    ...(weight ? [weightV2(weight)] : []),
    ...weightDevice.flatMap((device) => (device.weight ? [weightV2(device.weight, numbers(device))] : [])),
    ...throttleWrites(blockIO, ([, name], device, rate) => ({
      controller: 'io',
      file: 'io.max',
      value: `${device} ${name}=${rate === 0n ? 'max' : rate}`,
    })),
  ];
}
