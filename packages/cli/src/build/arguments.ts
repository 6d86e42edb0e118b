import { environment } from '../env.ts';
import { usageError } from '../errors.ts';

/** Reads `--build-arg NAME=VALUE`, or `NAME` for the value of the environment, if it has one. Throws ERR_OCI_USAGE. */
export function buildArguments(texts: readonly string[] = []): ReadonlyMap<string, string> {
  return new Map(
    texts.flatMap((text) => {
      const [, name = '', value] = /^([^=]+)(?:=(.*))?$/s.exec(text) ?? [];
      if (name === '') throw usageError(`--build-arg ${text} is not NAME=VALUE`);
      const given = value ?? environment[name];
      return given === undefined ? [] : [[name, given] as const];
    }),
  );
}

/** The time that `SOURCE_DATE_EPOCH` gives, in seconds since 1970. Throws ERR_OCI_USAGE. */
export function sourceDateEpoch(): number | undefined {
  const text = environment['SOURCE_DATE_EPOCH'];
  if (text === undefined || text === '') return undefined;
  if (!/^\d{1,12}$/.test(text)) throw usageError(`SOURCE_DATE_EPOCH=${text} is no number of seconds`);
  return Number(text);
}
