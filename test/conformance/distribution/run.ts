// node --conditions=source test/conformance/distribution/run.ts URL [--username NAME --password PASSWORD] [--json]
// Examines a registry; pushes into new repositories below conformance/ and leaves them there.
import { parseArgs } from 'node:util';
import { requirements } from './all.ts';
import { outcomeOf } from './requirement.ts';
import { createSubject } from './subject.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    username: { type: 'string' },
    password: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});
const say = (text: string): boolean => process.stdout.write(`${text}\n`);
const [url] = positionals;
if (url === undefined || positionals.length > 1) {
  say('usage: npm run conformance:distribution -- URL [--username NAME --password PASSWORD] [--json]');
  process.exit(2);
}
const subject = createSubject(/^https?:\/\//.test(url) ? url : `http://${url}`, values);
const counts = { met: 0, failed: 0, unsupported: 0 };
const rows: object[] = [];
let required = 0;
for (const requirement of requirements) {
  const { id, section, level, since, title } = requirement;
  const outcome = await outcomeOf(requirement, subject);
  counts[outcome.result]++;
  if (outcome.result === 'failed' && level === 'MUST') required++;
  rows.push({ id, section, level, since, title, ...outcome });
  if (values.json) continue;
  const sign = { met: '✓', failed: '✗', unsupported: '–' }[outcome.result];
  say(`${sign} ${level} (${since}) ${section}: ${title}`);
  if (outcome.result !== 'met') say(`    ${outcome.reason.replaceAll('\n', '\n    ')}`);
}
if (values.json) say(JSON.stringify({ url, counts, requirements: rows }, null, 2));
else
  say(
    `\n${counts.met} met, ${counts.failed} failed (${required} of a MUST), ${counts.unsupported} unsupported`,
  );
process.exitCode = counts.failed === 0 ? 0 : 1;
