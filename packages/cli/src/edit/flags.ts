import type { EditRecord, LayerFormat } from '@ocijs/image';
import { Flags, type Interfaces } from '@oclif/core';
import { environment } from '../env.ts';
import { usageError } from '../errors.ts';

const group = 'HISTORY';

/** What an edit leaves in the history, as umoci names it. */
export const historyFlags = {
  'history.created_by': Flags.string({
    helpGroup: group,
    helpValue: 'TEXT',
    summary: 'What made the change',
  }),
  'history.author': Flags.string({ helpGroup: group, helpValue: 'TEXT', summary: 'Who made the change' }),
  'history.comment': Flags.string({ helpGroup: group, helpValue: 'TEXT', summary: 'Why' }),
  'history.created': Flags.string({
    helpGroup: group,
    helpValue: 'TIME',
    summary: 'When (default: $SOURCE_DATE_EPOCH, else when the image was made)',
  }),
};

/** How a layer is written. */
export const layerFlags = {
  compression: Flags.string({
    options: ['gzip', 'zstd', 'none', 'estargz', 'zstd:chunked'],
    default: 'gzip',
    summary: 'Form of the layer',
  }),
  'compression-level': Flags.integer({ helpValue: 'N', summary: '1 to 9 for gzip, 1 to 19 for zstd' }),
};

/** Parsed {@link historyFlags}. */
export interface HistoryFlagValues {
  readonly 'history.created_by'?: string | undefined;
  readonly 'history.author'?: string | undefined;
  readonly 'history.comment'?: string | undefined;
  readonly 'history.created'?: string | undefined;
}

/** What the flags say of the history. Throws ERR_OCI_USAGE. */
export function editRecord(flags: HistoryFlagValues, createdBy: string): EditRecord {
  const epoch = sourceDateEpoch();
  const text = flags['history.created'];
  return {
    createdBy: flags['history.created_by'] ?? createdBy,
    author: flags['history.author'],
    comment: flags['history.comment'],
    created: text === undefined ? epoch : parseTimeFlag('--history.created', text),
  };
}

/** Parsed {@link layerFlags}. */
export interface LayerFlagValues {
  readonly compression: string;
  readonly 'compression-level'?: number | undefined;
}

/** How to write a layer; its times are clamped when SOURCE_DATE_EPOCH says so. */
export function layerOptions(flags: LayerFlagValues): {
  readonly format: LayerFormat;
  readonly level: number | undefined;
  readonly clampNs: bigint | undefined;
} {
  const epoch = sourceDateEpoch();
  const level = flags['compression-level'];
  const most = flags.compression.startsWith('zstd') ? 19 : 9;
  if (level !== undefined && (level < 1 || level > most || flags.compression === 'none'))
    throw usageError(`--compression-level ${level} is not from 1 to ${most}`);
  return {
    format: flags.compression as LayerFormat,
    level,
    clampNs: epoch === undefined ? undefined : BigInt(epoch) * 1_000_000_000n,
  };
}

/** Seconds since 1970, or a date, from a flag. */
export function parseTimeFlag(flag: string, text: string): number | Date {
  if (/^\d{1,11}$/.test(text)) return Number(text);
  const milliseconds = Date.parse(text);
  if (/^\d{4}-\d\d-\d\d/.test(text) && !Number.isNaN(milliseconds)) return new Date(milliseconds);
  throw usageError(
    `${flag} ${JSON.stringify(text)} is not a time`,
    'for example 2024-01-31T12:00:00Z, or seconds since 1970',
  );
}

/** https://reproducible-builds.org/specs/source-date-epoch/ */
function sourceDateEpoch(): number | undefined {
  const text = environment['SOURCE_DATE_EPOCH'];
  if (text === undefined || text === '') return undefined;
  if (/^\d{1,11}$/.test(text)) return Number(text);
  throw usageError('SOURCE_DATE_EPOCH is not a number of seconds since 1970');
}

/** Reads `NAME=value` flags. Throws ERR_OCI_USAGE. */
export function parsePairs(flag: string, texts: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    texts.map((text) => {
      const end = text.indexOf('=');
      if (end < 1) throw usageError(`${flag} ${JSON.stringify(text)} is not NAME=VALUE`);
      return [text.slice(0, end), text.slice(end + 1)];
    }),
  );
}

/** A list of values that may be given several times. */
export function listFlag(helpValue: string, summary: string): Interfaces.OptionFlag<string[]> {
  return Flags.string({ multiple: true, multipleNonGreedy: true, default: [], helpValue, summary });
}

/** Reads a command line: a JSON array of words, or a text for the shell, as in a Dockerfile; empty removes it. */
export function parseWords(flag: string, text: string): readonly string[] {
  if (text === '') return [];
  if (!text.startsWith('[')) return ['/bin/sh', '-c', text];
  try {
    const words: unknown = JSON.parse(text);
    if (Array.isArray(words) && words.every((word) => typeof word === 'string')) return words;
  } catch (error) {
    throw usageError(`${flag} is not JSON: ${error instanceof Error ? error.message : error}`);
  }
  throw usageError(`${flag} is not a list of words`, `for example ${flag} '["nginx", "-g", "daemon off;"]'`);
}
