import {
  array,
  boolean,
  type Check,
  nonEmptyString,
  object,
  pattern,
  record,
  rootPlace,
  type SpecViolation,
  string,
} from './checks.ts';
import { idMappingsCheck, linuxCheck } from './linux.ts';
import { hookCheck, processCheck } from './process.ts';

const version: Check = pattern(
  /^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$/,
  'a version such as 1.0.2',
);

const hooks: Check = object({
  optional: {
    prestart: array(hookCheck),
    createRuntime: array(hookCheck),
    createContainer: array(hookCheck),
    startContainer: array(hookCheck),
    poststart: array(hookCheck),
    poststop: array(hookCheck),
  },
});

const mount: Check = object({
  // Not only absolute ones: others are taken from the root, for old tools.
  required: { destination: nonEmptyString },
  optional: {
    source: string,
    type: string,
    options: array(string),
    uidMappings: idMappingsCheck,
    gidMappings: idMappingsCheck,
  },
});

const config: Check = object({
  required: { ociVersion: version },
  optional: {
    process: processCheck,
    root: object({ required: { path: nonEmptyString }, optional: { readonly: boolean } }),
    hostname: string,
    domainname: string,
    mounts: array(mount),
    hooks,
    annotations: record(string, nonEmptyString),
    linux: linuxCheck,
  },
});

/**
 * Everything that runtime-spec 1.3 says of the shape of a `config.json` for Linux: types, ranges, required
 * fields, absolute paths, duplicates. Fields that the specification does not know are ignored. An empty
 * list means that the value is a `RuntimeSpec`; whether a host can run it is for the runtime to say.
 */
export function validateSpec(value: unknown): readonly SpecViolation[] {
  const violations: SpecViolation[] = [];
  config(value, rootPlace(violations));
  return violations;
}
