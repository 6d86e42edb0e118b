// One line a test file, failures in full, and every skip with its reason: a skip that nobody sees is a hole.
import { relative } from 'node:path';

/** A reporter for node:test; see https://nodejs.org/api/test.html#custom-reporters */
export default async function* reporter(source) {
  const files = new Map();
  const skipped = [];
  const failed = [];
  for await (const { type, data } of source) {
    if (type === 'test:stderr' || type === 'test:stdout') {
      if (/warning/i.test(data.message)) continue;
    }
    if (type !== 'test:pass' && type !== 'test:fail') continue;
    const file = relative(process.cwd(), data.file ?? data.name);
    const counts = files.get(file) ?? { passed: 0, skipped: 0, failed: 0, milliseconds: 0 };
    files.set(file, counts);
    if (data.nesting === 0) counts.milliseconds += data.details?.duration_ms ?? 0;
    if (data.details?.type === 'suite' && !speaksForItself(type, data)) continue;
    if (data.skip !== undefined) {
      counts.skipped++;
      skipped.push(
        `${file}: ${data.name}: ${data.skip === true || data.skip === '' ? 'no reason given' : data.skip}`,
      );
    } else if (type === 'test:fail') {
      counts.failed++;
      failed.push({ file, name: data.name, error: data.details?.error });
      yield `✗ ${file}: ${data.name}\n${indent(describe(data.details?.error))}\n`;
    } else counts.passed++;
  }
  let passed = 0;
  for (const [file, counts] of [...files].sort()) {
    passed += counts.passed;
    const skips = counts.skipped ? `, ${counts.skipped} skipped` : '';
    const fails = counts.failed ? `, ${counts.failed} FAILED` : '';
    const seconds = (counts.milliseconds / 1000).toFixed(1);
    yield `  ${file}: ${counts.passed} passed${skips}${fails}, ${seconds} s\n`;
  }
  if (skipped.length) yield `\nskipped:\n${skipped.map((line) => `  ${line}`).join('\n')}\n`;
  if (failed.length) yield `\nfailed:\n${failed.map(({ file, name }) => `  ${file}: ${name}`).join('\n')}\n`;
  yield `\n${passed} passed, ${skipped.length} skipped, ${failed.length} failed\n`;
}

/** A suite counts by its tests, unless it is left out as a whole, or its own hooks failed: that is what no test reports. */
function speaksForItself(type, { skip, details }) {
  return skip !== undefined || (type === 'test:fail' && details.error?.failureType === 'hookFailed');
}

function describe(error) {
  const cause = error?.cause ?? error;
  return cause?.stack ?? String(cause?.message ?? cause);
}

function indent(text) {
  return text
    .split('\n')
    .map((line) => `    ${line}`)
    .join('\n');
}
