import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Ajv } from 'ajv';

const directory = fileURLToPath(new URL('../testdata/runtime-spec-schema', import.meta.url));

/** What the runtime-spec's own JSON schema has to say against a `config.json`; empty when it is valid. */
export function runtimeSpecErrors(config: unknown): readonly string[] {
  const ajv = new Ajv({ strict: false, allErrors: true, validateSchema: false });
  for (const name of readdirSync(directory)) {
    const { $schema: _, ...schema } = JSON.parse(readFileSync(`${directory}/${name}`, 'utf8'));
    ajv.addSchema(schema, name);
  }
  const validate = ajv.getSchema('config-schema.json');
  if (validate === undefined) throw new Error('no config-schema.json');
  validate(config);
  return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath}: ${message}`);
}
