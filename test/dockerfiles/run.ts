import { output } from '../kit/command.ts';
import { missing } from '../kit/requirements.ts';
import { dockerfileCases } from './cases.ts';
import { runCase } from './run-case.ts';
import { openWorkshop } from './workshop.ts';

/** node --conditions=source test/dockerfiles/run.ts [WORD]: the cases whose name has the word, as a table of Markdown. */
const [word = ''] = process.argv.slice(2);
const reason = missing({ root: true, commands: ['buildah', 'busybox', 'xz'] });
if (reason !== false) {
  print(reason);
  process.exit(1);
}
const counts = new Map<string, number>();
await using workshop = await openWorkshop();
print(`${(await output('buildah', ['--version'])).trim()}\n`);
print('| Dockerfile | result | |\n| --- | --- | --- |');
for (const one of dockerfileCases.filter(({ name }) => name.includes(word))) {
  const { verdict, lines } = await runCase(workshop, one);
  counts.set(verdict, (counts.get(verdict) ?? 0) + 1);
  print(`| ${one.name} | ${verdict} | ${lines.join('; ')} |`);
  if (verdict === 'wrong') process.exitCode = 1;
}
print(`\n${[...counts].map(([verdict, count]) => `${count} ${verdict}`).join(', ')}`);

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
