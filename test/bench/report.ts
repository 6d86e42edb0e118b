import type { Timing } from './measure.ts';

/** One comparison with its figures. */
export interface Result {
  readonly title: string;
  readonly timings: readonly Timing[];
}

/** A table for a terminal. */
export function formatTable({ title, timings }: Result): string {
  const width = Math.max(...timings.map(({ name }) => name.length));
  const lines = timings.map(
    ({ name, min, median, max, ratio, cpu }) =>
      `  ${name.padEnd(width)}  ${milliseconds(median)}  ${milliseconds(min)} … ${milliseconds(max)}  ${ratio.toFixed(2).padStart(6)} ×  ${milliseconds(cpu)}`,
  );
  return [
    title,
    `  ${''.padEnd(width)}  ${'median ms'.padStart(9)}  ${'min … max'.padStart(21)}   ratio   ${'cpu ms'.padStart(9)}`,
    ...lines,
  ].join('\n');
}

/** A bar chart of medians, with whiskers from minimum to maximum. */
export function formatChart(results: readonly Result[]): string {
  const groups = results.map(formatGroup);
  const heights = groups.map(({ height }) => height);
  const body = groups.map(({ svg }, index) => {
    const offset = heights.slice(0, index).reduce((sum, height) => sum + height, 10);
    return `<g transform="translate(0 ${offset})">${svg}</g>`;
  });
  const height = heights.reduce((sum, each) => sum + each, 20);
  const style = `width="760" height="${height}" font-family="sans-serif" font-size="13"`;
  return `<svg xmlns="http://www.w3.org/2000/svg" ${style}><rect width="100%" height="100%" fill="#fff"/>${body.join('')}</svg>\n`;
}

function formatGroup({ title, timings }: Result): { readonly svg: string; readonly height: number } {
  const scale = 360 / Math.max(...timings.map(({ max }) => max));
  const bars = timings.map(({ name, min, median, max, ratio }, row) => {
    const y = 42 + row * 22;
    return [
      `<text x="220" y="${y}" text-anchor="end">${escapeXml(name)}</text>`,
      `<rect x="230" y="${y - 12}" width="${(median * scale).toFixed(1)}" height="14" fill="#4878a8"/>`,
      `<path d="M${(230 + min * scale).toFixed(1)} ${y - 5}H${(230 + max * scale).toFixed(1)}" stroke="#222"/>`,
      `<text x="600" y="${y}">${median.toFixed(1)} ms, ${ratio.toFixed(2)} ×</text>`,
    ].join('');
  });
  const heading = `<text x="10" y="20" font-weight="bold">${escapeXml(title)}</text>`;
  return { svg: heading + bars.join(''), height: 40 + timings.length * 22 };
}

function milliseconds(value: number): string {
  return value.toFixed(1).padStart(9);
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
