import type { ImageConfig } from '@ocijs/image';
import { specFromImage } from '../spec/from-image.ts';
import type { IdMapping, RuntimeSpec } from '../spec/types.ts';
import type { NamespaceIds } from '../user-namespace.ts';

/** How the root file system was unpacked, as far as the configuration depends on it. */
export interface RuntimeConfigOptions {
  readonly rootfs: string;
  readonly rootless: boolean;
  readonly uidMap: readonly IdMapping[];
  readonly gidMap: readonly IdMapping[];
  /** The ids of the user namespace in which it was unpacked, and is to run. */
  readonly userNamespace?: NamespaceIds | undefined;
}

/** The bundle's configuration; with mapped ids the container gets a user namespace that maps them likewise. */
export function runtimeConfig(image: ImageConfig, options: RuntimeConfigOptions): RuntimeSpec {
  const { rootfs, rootless, uidMap, gidMap, userNamespace } = options;
  const spec = specFromImage(image, { rootfs, rootless: userNamespace ?? rootless, rootPath: 'rootfs' });
  if (rootless || uidMap.length + gidMap.length === 0) return spec;
  const namespaces = (spec.linux?.namespaces ?? []).filter(({ type }) => type !== 'user');
  return {
    ...spec,
    linux: {
      ...spec.linux,
      uidMappings: [...uidMap],
      gidMappings: [...gidMap],
      namespaces: [...namespaces, { type: 'user' }],
    },
  };
}
