import type { BuildNodeOptions, BuildOptions, BuildResult, Statement } from '@ocijs/build';
import type { Descriptor } from '@ocijs/image';
import { usageError } from '../errors.ts';
import { booleanField, parseFields } from './fields.ts';

/** Which statements are to be made of the images. */
export interface Attestations {
  readonly provenance?: { readonly mode: 'min' | 'max'; readonly builderId: string | undefined } | undefined;
  readonly sbom: boolean;
}

export interface AttestFlags {
  readonly attest?: readonly string[] | undefined;
  readonly provenance?: string | undefined;
  readonly sbom?: string | undefined;
}

/**
 * Reads `--attest type=provenance,mode=max` and `type=sbom`, and the short forms `--provenance true|mode=max` and `--sbom true`.
 * Throws ERR_OCI_USAGE.
 */
export function parseAttestations({ attest = [], provenance, sbom }: AttestFlags): Attestations {
  const all = [
    ...attest.map((text) => ['--attest', parseFields(text, '--attest')] as const),
    ...short('provenance', provenance),
    ...short('sbom', sbom),
  ];
  let found: Attestations = { sbom: false };
  for (const [flag, fields] of all) {
    const type = fields.get('type');
    const wanted = !booleanField(fields, 'disabled', { flag, fallback: false });
    if (type === 'sbom') {
      onlyKnown(flag, fields, ['type', 'disabled']);
      found = { ...found, sbom: wanted };
    } else if (type === 'provenance') {
      onlyKnown(flag, fields, ['type', 'disabled', 'mode', 'builder-id', 'version', 'reproducible']);
      found = { ...found, provenance: wanted ? readProvenance(flag, fields) : undefined };
    } else
      throw usageError(
        `${flag} is of type provenance or sbom`,
        `for example ${flag} type=provenance,mode=max`,
      );
  }
  return found;
}

/** `true`, `false`, or fields without the type. */
function short(
  type: 'provenance' | 'sbom',
  text: string | undefined,
): readonly (readonly [string, ReadonlyMap<string, string>])[] {
  if (text === undefined) return [];
  const flag = `--${type}`;
  const isSwitch = /^(?:true|false|1|0)$/i.test(text);
  const fields = isSwitch
    ? new Map([['disabled', /^(?:false|0)$/i.test(text) ? 'true' : 'false']])
    : parseFields(text, flag);
  return [[flag, new Map([['type', type], ...fields])]];
}

function readProvenance(
  flag: string,
  fields: ReadonlyMap<string, string>,
): NonNullable<Attestations['provenance']> {
  const mode = fields.get('mode') ?? 'min';
  if (mode !== 'min' && mode !== 'max') throw usageError(`${flag}: the mode is min or max, not ${mode}`);
  const version = fields.get('version') ?? 'v1';
  if (version !== 'v1') throw usageError(`${flag}: provenance is of version v1, not ${version}`);
  return { mode, builderId: fields.get('builder-id') };
}

function onlyKnown(flag: string, fields: ReadonlyMap<string, string>, known: readonly string[]): void {
  const other = [...fields.keys()].find((name) => !known.includes(name));
  if (other !== undefined) throw usageError(`${flag}: ${other} is unknown`, `one of ${known.join(', ')}`);
}

/** A statement that was written. */
export interface WrittenAttestation {
  readonly statement: Statement;
  readonly descriptor: Descriptor;
}

/** Makes the statements of one image and writes them to the store, where they refer to it. */
export async function writeAttestations(
  { provenance, sbom }: Attestations,
  {
    options,
    result,
    path,
  }: {
    readonly options: BuildOptions | BuildNodeOptions;
    readonly result: BuildResult;
    readonly path: string | undefined;
  },
): Promise<readonly WrittenAttestation[]> {
  const { provenanceStatement, sbomStatement, writeAttestation } = await import('@ocijs/build');
  const { store, names, signal } = options;
  const statements = [
    ...(provenance === undefined
      ? []
      : [provenanceStatement(options, result, { ...provenance, dockerfilePath: path })]),
    ...(sbom ? [await sbomStatement(result.image, { store, names, signal })] : []),
  ];
  const written: WrittenAttestation[] = [];
  for (const statement of statements)
    written.push({
      statement,
      descriptor: await writeAttestation(store, { subject: result.descriptor, statement }),
    });
  return written;
}
