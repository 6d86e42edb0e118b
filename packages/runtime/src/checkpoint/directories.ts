import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';

/** Where criu reads and writes images and logs, absolute; nothing is made. */
export function checkpointDirectories({
  imagePath,
  workPath,
}: {
  readonly imagePath: string;
  readonly workPath?: string | undefined;
}): { readonly images: string; readonly work: string } {
  const images = resolve(imagePath);
  return { images, work: workPath ? resolve(workPath) : images };
}

/** Makes a directory for what is nobody else's business: images hold a container's memory. */
export function makePrivateDirectory(path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o700 });
}
