import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { messageTypes } from '../init/messages.ts';
import * as format from './format.ts';

const planHeader = readFileSync(new URL('../../native/plan.h', import.meta.url), 'utf8');
const reportHeader = readFileSync(new URL('../../native/report.h', import.meta.url), 'utf8');

function camelCase(name: string): string {
  return name.toLowerCase().replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

/** The constants of C whose names start with a prefix. */
function constants(header: string, prefix: string): Record<string, number> {
  const matches = header.matchAll(new RegExp(`\\b${prefix}([A-Z_]+) = (0x[0-9a-f]+|\\d+)`, 'g'));
  return Object.fromEntries([...matches].map(([, name = '', value]) => [camelCase(name), Number(value)]));
}

test('both sides number the steps, fields and messages alike', () => {
  assert.deepEqual(constants(planHeader, 'STEP_'), { ...format.stepTags });
  assert.deepEqual(constants(planHeader, 'FIELD_'), { ...format.fieldNames });
  assert.deepEqual(constants(reportHeader, 'MESSAGE_'), { ...messageTypes });
});

test('both sides number flags and sections alike', () => {
  const { sourceProc, ...targets } = format.targetFlags;
  assert.deepEqual(constants(planHeader, 'TARGET_'), targets);
  assert.equal(constants(planHeader, 'SOURCE_')['proc'], sourceProc);
  assert.deepEqual(constants(planHeader, 'BIRTH_'), { ...format.birthFlags });
  assert.deepEqual(constants(planHeader, 'DEVICE_'), { ...format.deviceFlags });
  assert.deepEqual(constants(planHeader, 'PLAN_')['attached'], format.planFlags.attached);
  const own = constants(planHeader, 'SECTION_');
  assert.deepEqual(own, {
    host: format.sections.host,
    join: format.sections.join,
    init: format.sections.init,
  });
});

test('both sides agree about magic, version and limits', () => {
  assert.match(planHeader, new RegExp(`PLAN_MAGIC 0x${format.planMagic.toString(16)}U`));
  assert.match(planHeader, new RegExp(`PLAN_VERSION ${format.planVersion}U`));
  assert.match(planHeader, new RegExp(`SLOT_LIMIT ${format.slotLimit}\\b`));
});
