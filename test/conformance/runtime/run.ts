// node --conditions=source test/conformance/runtime/run.ts [--runtime PATH]... [--only TEXT] [--json]
// Examines container runtimes by their command lines, as root; without --runtime ours and Debian's runc, side by side.
import { parseArgs } from 'node:util';
import { runtimeProgram } from '../../kit/oci.ts';
import { findCommand, missing } from '../../kit/requirements.ts';
import { temporaryDirectory } from '../../kit/temporary.ts';
import { requirements } from './all.ts';
import { reasonOf } from './known-differences.ts';
import { type Outcome, outcomeOf, type Requirement } from './requirement.ts';
import { createSubject } from './subject.ts';

const { values } = parseArgs({
  options: {
    runtime: { type: 'string', multiple: true, default: [] },
    only: { type: 'string', default: '' },
    json: { type: 'boolean', default: false },
  },
});
const reason = missing({ root: true, commands: ['busybox'] });
if (reason !== false) throw new Error(reason);

const say = (text: string): boolean => process.stdout.write(`${text}\n`);
const runc = findCommand('runc');
const programs: readonly (readonly [name: string, program: readonly string[]])[] = [
  ...(values.runtime.length > 0
    ? values.runtime.map((path) => [path, [path]] as const)
    : [['oci-runtime', [process.execPath, runtimeProgram]] as const]),
  ...(runc === undefined || values.runtime.includes('runc') ? [] : [['runc', [runc]] as const]),
];
async function examine(requirement: Requirement, program: readonly string[]): Promise<Outcome> {
  await using directory = await temporaryDirectory();
  return await outcomeOf(requirement, createSubject(program, directory.path));
}

const signs = { met: '✓', failed: '✗', unsupported: '–' } as const;
const counts = programs.map(() => ({ met: 0, failed: 0, unsupported: 0 }));
const rows: object[] = [];
if (!values.json) say(programs.map(([name]) => name).join(' | '));
for (const requirement of requirements) {
  const { id, section, level, title } = requirement;
  if (!`${id} ${section} ${title}`.includes(values.only)) continue;
  const outcomes = await Promise.all(programs.map(([, program]) => examine(requirement, program)));
  for (const [index, { result }] of outcomes.entries()) {
    const count = counts[index];
    if (count !== undefined) count[result] += 1;
  }
  rows.push({ id, section, level, title, outcomes });
  if (values.json) continue;
  say(`${outcomes.map(({ result }) => signs[result]).join(' ')} ${level} ${section}: ${title} [${id}]`);
  for (const [index, outcome] of outcomes.entries()) {
    if (outcome.result === 'met') continue;
    const [name] = programs[index] ?? [''];
    say(`    ${name}: ${reasonOf(name, id) ?? outcome.reason}`);
  }
}
const totals = programs.map(([name], index) => ({ name, ...counts[index] }));
if (values.json) say(JSON.stringify({ totals, requirements: rows }, null, 2));
else
  for (const { name, met, failed, unsupported } of totals)
    say(`${name}: ${met} met, ${failed} failed, ${unsupported} not to be told here`);
process.exitCode = counts[0]?.failed === 0 ? 0 : 1;
