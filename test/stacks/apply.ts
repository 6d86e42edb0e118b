import { mkdirSync } from 'node:fs';
import { createLayerApplier, linuxOperations } from '@ocijs/bundle';
import { createTarParser, isOciError, writeTar } from '@ocijs/image';
import type { StackLayer } from './arbitrary.ts';

/** The archive of a layer. */
export async function archive(layer: StackLayer): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of writeTar(layer)) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

/** Applies layers one after the other in this thread, with a call for every attribute. Returns the code it failed with. */
export function applyOneByOne(archives: readonly Buffer[], rootfs: string): string | undefined {
  mkdirSync(rootfs, { recursive: true, mode: 0o755 });
  try {
    for (const bytes of archives) {
      using applier = createLayerApplier(rootfs, {
        operations: linuxOperations(),
        rootless: false,
        placeholderDevices: false,
        uidMap: [],
        gidMap: [],
        keepDirlinks: false,
      });
      const parser = createTarParser(applier);
      parser.push(bytes);
      parser.finish();
      applier.finish();
    }
    return undefined;
  } catch (error) {
    if (isOciError(error)) return error.code;
    throw error;
  }
}
