import type { Descriptor, ImageConfig, ImageSource, Platform } from '@ocijs/image';
import type { TransferReport } from '@ocijs/registry';
import { formatBytes } from './render/bytes.ts';
import { printable } from './render/text.ts';

/** The `--json` result of `oci inspect`. */
export interface ImageDescription {
  readonly name: string;
  readonly digest: string;
  readonly mediaType: string;
  readonly size: number;
  readonly platform: string;
  readonly created?: string;
  readonly config: ImageConfig;
  readonly layers: readonly Descriptor[];
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Everything `oci inspect` says about an image; `size` is the sum of its blobs as they travel, in bytes. */
export function describeImage(image: ImageSource): ImageDescription {
  const { manifest, config, descriptor, platform, name } = image;
  return {
    name,
    digest: descriptor.digest,
    mediaType: descriptor.mediaType,
    size: imageSize(image),
    platform: platformText(platform),
    ...(config.created === undefined ? {} : { created: config.created }),
    config,
    layers: manifest.layers,
    ...(manifest.annotations === undefined ? {} : { annotations: manifest.annotations }),
  };
}

/** The `--json` result of `oci pull` and `oci push`. */
export function reportDocument(report: TransferReport): object {
  const { platform, ...rest } = report;
  return { ...rest, ...(platform === undefined ? {} : { platform: platformText(platform) }) };
}

/** The bytes that pulling the image moves. */
export function imageSize({ descriptor, manifest }: Pick<ImageSource, 'descriptor' | 'manifest'>): number {
  return [manifest.config, ...manifest.layers].reduce((sum, { size }) => sum + size, descriptor.size);
}

/** `linux/arm64/v8`. */
export function platformText({ os, architecture, variant }: Platform): string {
  return [os, architecture, variant].filter((part) => part !== undefined && part !== '').join('/');
}

/** The description as lines for people. */
export function formatDescription(image: ImageDescription): string {
  const execution = image.config.config ?? {};
  const facts: [string, string | undefined][] = [
    ['Name', image.name],
    ['Digest', image.digest],
    ['Media type', image.mediaType],
    ['Platform', image.platform],
    ['Created', image.created],
    ['Size', formatBytes(image.size)],
    ['User', execution.User],
    ['Entrypoint', command(execution.Entrypoint)],
    ['Command', command(execution.Cmd)],
    ['Directory', execution.WorkingDir],
    ['Stop signal', execution.StopSignal],
    ['Ports', Object.keys(execution.ExposedPorts ?? {}).join(' ')],
    ['Volumes', Object.keys(execution.Volumes ?? {}).join(' ')],
  ];
  const lines = facts
    .filter(([, value]) => value !== undefined && value !== '')
    .map(([label, value]) => `${`${label}:`.padEnd(13)}${printable(value ?? '')}`);
  const layers = image.layers.map(({ digest, size }) => `  ${digest}  ${formatBytes(size)}`);
  return [
    ...lines,
    ...block('Environment', execution.Env ?? []),
    ...block('Labels', pairs(execution.Labels)),
    ...block('Annotations', pairs(image.annotations)),
    'Layers:',
    ...layers,
  ].join('\n');
}

function command(words: readonly string[] | undefined): string | undefined {
  return words === undefined || words.length === 0 ? undefined : JSON.stringify(words);
}

function pairs(record: Readonly<Record<string, string>> | undefined): readonly string[] {
  return Object.entries(record ?? {}).map(([key, value]) => `${key}=${value}`);
}

function block(title: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : [`${title}:`, ...lines.map((line) => `  ${printable(line)}`)];
}
