import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Where the build puts the library, seen from what the sources are compiled to, and from them. */
const places = ['../native/', '../../dist/native/'];

/** The library that the package brings along for this machine; undefined where there is none. */
export function sha256LibraryPath(): string | undefined {
  const name = `sha256-lanes-${process.arch}.so`;
  return places.map((place) => fileURLToPath(new URL(place + name, import.meta.url))).find(existsSync);
}
