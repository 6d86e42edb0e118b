import type { Digest } from '../digest/digest.ts';
import {
  arrayOf,
  type FieldReader,
  fieldError,
  integerIn,
  mapOf,
  type Place,
  readBoolean,
  readObject,
  readString,
} from '../json/fields.ts';
import { parseJson } from '../json/parse.ts';
import { objectOf } from '../json/shape.ts';
import { CONFIG_LIMIT } from '../limits.ts';
import { listOf, readDigest, readStringMap, readStrings } from './common.ts';
import { platformShape } from './platform-field.ts';
import type { ExecutionConfig, Healthcheck, HistoryEntry, ImageConfig } from './types.ts';

const rfc3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/;
const readCount = integerIn({ min: 0, max: Number.MAX_SAFE_INTEGER });
const readInteger = integerIn({ min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER });
const readStringSet = mapOf<object>(readObject);

const readTime: FieldReader<string> = (value, place) => {
  const text = readString(value, place);
  if (!rfc3339.test(text) || Number.isNaN(Date.parse(text)))
    throw fieldError(place, `${JSON.stringify(text.slice(0, 80))} is not a time of RFC 3339`);
  return text;
};

const readVariable: FieldReader<string> = (value, place) => {
  const text = readString(value, place);
  // The value may be a secret: a message names the place only.
  if (text.indexOf('=') < 1) throw fieldError(place, 'not of the form NAME=value');
  return text;
};

const readLayersType: FieldReader<'layers'> = (value, place) => {
  const text = readString(value, place);
  if (text !== 'layers') throw fieldError(place, `${JSON.stringify(text.slice(0, 80))} instead of "layers"`);
  return text;
};

const readDiffIds: FieldReader<readonly Digest[]> = listOf(readDigest);

const readHealthcheck: FieldReader<Healthcheck> = objectOf<Healthcheck>(
  {
    Test: readStrings,
    Interval: readInteger,
    Timeout: readInteger,
    StartPeriod: readInteger,
    StartInterval: readInteger,
    Retries: readInteger,
  },
  [],
);

const readExecution: FieldReader<ExecutionConfig> = objectOf<ExecutionConfig>(
  {
    User: readString,
    ExposedPorts: readStringSet,
    Env: arrayOf(readVariable),
    Entrypoint: readStrings,
    Cmd: readStrings,
    Volumes: readStringSet,
    WorkingDir: readString,
    Labels: readStringMap,
    StopSignal: readString,
    ArgsEscaped: readBoolean,
    Healthcheck: readHealthcheck,
    OnBuild: readStrings,
    Shell: readStrings,
    StopTimeout: readCount,
  },
  [],
);

const readHistory: FieldReader<HistoryEntry> = objectOf<HistoryEntry>(
  {
    created: readTime,
    created_by: readString,
    author: readString,
    comment: readString,
    empty_layer: readBoolean,
  },
  [],
);

const readConfig: FieldReader<ImageConfig> = objectOf<ImageConfig>(
  {
    ...platformShape,
    created: readTime,
    author: readString,
    config: readExecution,
    rootfs: objectOf<ImageConfig['rootfs']>({ type: readLayersType, diff_ids: readDiffIds }, [
      'type',
      'diff_ids',
    ]),
    history: arrayOf(readHistory),
  },
  ['os', 'architecture', 'rootfs'],
);

/**
 * Reads an image configuration, OCI or Docker (image-spec `config.md`). Fields that the specification does not have are
 * kept, so that an edited configuration loses nothing. Verify the bytes against their digest before.
 *
 * Throws ERR_OCI_CONFIG_INVALID with the place in `facts.jsonPath`, ERR_OCI_JSON_INVALID, and ERR_OCI_LIMIT_EXCEEDED
 * above 8 MiB.
 */
export function parseImageConfig(raw: Uint8Array): ImageConfig {
  return readConfigDocument(raw);
}

/** The same, which hands faults of single fields to `onFault` and goes on. */
export function readConfigDocument(raw: Uint8Array, onFault?: Place['onFault']): ImageConfig {
  const what = 'image configuration';
  const value = parseJson(raw, { limit: CONFIG_LIMIT, what });
  return readConfig(value, { what, jsonPath: '$', code: 'ERR_OCI_CONFIG_INVALID', onFault });
}
