/** Hues for layers, in degrees: neighbours are far apart, also for most who see colours differently. */
const hues = [256, 162, 70, 330, 205, 118, 292, 36, 184, 8];

/** A style that gives an element the colour of a layer; see style/tokens.css. */
export function layerHue(layer: number): Readonly<Record<string, string>> {
  return { '--hue': String(layer < 0 ? 256 : hues[layer % hues.length]) };
}

const markHues: Readonly<Record<number, string>> = { 2: '150', 3: '80', 4: '22' };

/** A style that gives an element the colour of a mark. */
export function markHue(mark: number): Readonly<Record<string, string>> {
  return { '--hue': markHues[mark] ?? '256' };
}
