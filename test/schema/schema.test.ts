import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { missing } from '../kit/requirements.ts';
import { temporaryDirectory } from '../kit/temporary.ts';
import { type Document, runScenario } from './scenario.ts';

const schemas = fileURLToPath(new URL('../../docs/schema/', import.meta.url));
const commandTable = fileURLToPath(new URL('../../packages/cli/src/commands/index.ts', import.meta.url));

/** Commands that have no document: they print bytes, or go on until they are told to end. */
const withoutDocument: ReadonlySet<string> = new Set(['cat', 'serve', 'snapshots', 'supervise']);

const ajv = new Ajv2020({ strict: true, allowUnionTypes: true, validateFormats: false });
const files = readdirSync(schemas).filter((name) => name.endsWith('.json'));
for (const file of files) ajv.addSchema(JSON.parse(readFileSync(schemas + file, 'utf8')) as object);

test('every command has a schema of its document', () => {
  const commands = [...readFileSync(commandTable, 'utf8').matchAll(/^ {2}'?([\w-]+)'?: async/gm)];
  const names = commands.map(([, name = '']) => name).filter((name) => !withoutDocument.has(name));
  assert.ok(names.length > 50);
  assert.deepEqual(files.toSorted(), [...names, 'common', 'error'].map((name) => `${name}.json`).sort());
});

describe('what commands print with --json is what docs/schema says', {
  skip: missing({ root: true, commands: ['busybox'] }),
  timeout: 500_000,
}, () => {
  let documents: readonly Document[] = [];
  before(async () => {
    await using temporary = await temporaryDirectory();
    documents = await runScenario(temporary.path);
  });

  test('each document, and each failure', () => {
    for (const { command, args, status, value } of documents) {
      const isFailure = status !== 0;
      const validate = ajv.getSchema(isFailure ? 'error.json' : `${command}.json`);
      assert.ok(validate, `no schema for ${command}`);
      const line = `oci ${command} --json ${args.join(' ')}`;
      assert.ok(
        validate(value),
        `${line}: ${ajv.errorsText(validate.errors)}\n${JSON.stringify(value, null, 2).slice(0, 2000)}`,
      );
    }
  });

  test('of every command there is one', () => {
    const succeeded = new Set(documents.filter(({ status }) => status === 0).map(({ command }) => command));
    const expected = files
      .map((file) => file.replace('.json', ''))
      .filter((name) => name !== 'common' && name !== 'error');
    assert.deepEqual(
      expected.filter((name) => !succeeded.has(name)),
      [],
    );
  });

  test('a document that lacks what its schema requires is refused', () => {
    assert.equal(ajv.getSchema('push.json')?.({ reference: 'x' }), false);
    assert.equal(ajv.getSchema('error.json')?.({ error: { message: 'no code' } }), false);
  });
});
