import { listLayer, statusAt } from './marks.ts';
import { isDirectory, type LowerFile } from './merged-directories.ts';

/** The other names that a file has in its layer. Looks at the whole layer: hard links across layers are rare. */
export function otherNames({ layer, path, status }: LowerFile): readonly string[] {
  const found: string[] = [];
  const pending = [''];
  for (let at = pending.pop(); at !== undefined; at = pending.pop()) {
    for (const name of listLayer(layer, at === '' ? '.' : at)) {
      const below = at === '' ? name : `${at}/${name}`;
      const other = statusAt(layer, below);
      if (other === undefined) continue;
      if (isDirectory(other)) pending.push(below);
      else if (other.ino === status.ino && below !== path) found.push(below);
    }
    if (found.length >= status.nlink - 1) break;
  }
  return found;
}
