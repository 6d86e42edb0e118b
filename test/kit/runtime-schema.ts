import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Ajv } from 'ajv';

const directory = fileURLToPath(new URL('../testdata/runtime-spec-schema', import.meta.url));

/** What one of the runtime-spec's own JSON schemas has to say against a document; empty when it is valid. */
export function runtimeSpecErrors(document: unknown, schema = 'config-schema.json'): readonly string[] {
  const ajv = new Ajv({ strict: false, allErrors: true, validateSchema: false });
  for (const name of readdirSync(directory)) {
    const { $schema: _, ...content } = JSON.parse(readFileSync(`${directory}/${name}`, 'utf8'));
    ajv.addSchema(content, name);
  }
  const validate = ajv.getSchema(schema);
  if (validate === undefined) throw new Error(`no ${schema}`);
  validate(document);
  return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath}: ${message}`);
}
