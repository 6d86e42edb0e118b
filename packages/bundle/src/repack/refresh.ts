import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Descriptor, ImageLayer, PlannedEntry, TarEntry } from '@ocijs/image';
import { type BundleState, stateFile } from '../state.ts';
import { createLayerRecorder } from './record/layer-recorder.ts';
import { recordPath } from './record/read-records.ts';

/** What a bundle becomes one of. */
export interface RefreshOptions {
  readonly state: BundleState;
  /** Of the new manifest. */
  readonly descriptor: Descriptor;
  readonly layer: ImageLayer;
  /** What the layer holds. */
  readonly planned: readonly PlannedEntry[];
}

/** Notes in a bundle that it is one of a new image, whose last layer is what the bundle has already. */
export async function refreshBundle(
  directory: string,
  { state, descriptor, layer, planned }: RefreshOptions,
): Promise<void> {
  const path = recordPath(directory, state.image.layers.length);
  await rm(path, { force: true });
  {
    using recorder = createLayerRecorder(path);
    for (const { header } of planned) recorder.entry(complete(header));
    recorder.finish();
  }
  const { digest, mediaType, size } = descriptor;
  const layers = [...state.image.layers, layer.descriptor.digest];
  const refreshed: BundleState = { ...state, image: { ...state.image, digest, mediaType, size, layers } };
  const temporary = join(directory, `${stateFile}.new`);
  await writeFile(temporary, `${JSON.stringify(refreshed, null, 2)}\n`, { mode: 0o600 });
  await rename(temporary, join(directory, stateFile));
}

function complete(header: PlannedEntry['header']): TarEntry {
  return {
    name: header.name,
    ...(header.nameBytes === undefined ? {} : { nameBytes: Buffer.from(header.nameBytes) }),
    type: header.type ?? 'file',
    linkname: header.linkname ?? '',
    ...(header.linknameBytes === undefined ? {} : { linknameBytes: Buffer.from(header.linknameBytes) }),
    mode: header.mode ?? 0o644,
    uid: header.uid ?? 0,
    gid: header.gid ?? 0,
    uname: '',
    gname: '',
    size: header.type === 'file' ? (header.size ?? 0) : 0,
    mtimeNs: header.mtimeNs ?? 0n,
    deviceMajor: header.deviceMajor ?? 0,
    deviceMinor: header.deviceMinor ?? 0,
    xattrs: new Map([...(header.xattrs ?? [])].map(([name, value]) => [name, Buffer.from(value)])),
    offset: 0,
  };
}
