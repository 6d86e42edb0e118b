import type { Tile } from './layout.ts';

const directions: Readonly<Record<string, readonly [x: number, y: number]>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

/** The tile that an arrow key leads to: the nearest in its direction; undefined when there is none. */
export function neighbourOf(tiles: readonly Tile[], from: Tile, key: string): Tile | undefined {
  const direction = directions[key];
  if (direction === undefined) return undefined;
  const [x, y] = centre(from);
  let best: Tile | undefined;
  let shortest = Number.POSITIVE_INFINITY;
  for (const tile of tiles) {
    if (tile === from || tile.isFrame) continue;
    const [tx, ty] = centre(tile);
    const along = (tx - x) * direction[0] + (ty - y) * direction[1];
    const across = Math.abs((tx - x) * direction[1]) + Math.abs((ty - y) * direction[0]);
    if (along <= 0) continue;
    const distance = along + across * 2;
    if (distance < shortest) [best, shortest] = [tile, distance];
  }
  return best;
}

function centre({ x, y, width, height }: Tile): readonly [number, number] {
  return [x + width / 2, y + height / 2];
}
