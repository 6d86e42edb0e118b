import { appendFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { acquireLock } from './lock.ts';

// A process that takes a lock again and again, looks whether it is alone, and dies in the middle now and then.
const [directory = '', rounds = '0', mortality = '0'] = process.argv.slice(2);

for (let round = 0; round < Number(rounds); round++) {
  await using _lock = await acquireLock(join(directory, 'locks', 'l'), {
    what: 'the test',
    timeoutMs: 20_000,
  });
  const mark = `${process.pid}.${round}`;
  const owner = join(directory, 'owner');
  await writeFile(owner, mark);
  if (Math.random() < Number(mortality)) process.kill(process.pid, 'SIGKILL');
  await sleep(Math.random() * 2);
  const found = await readFile(owner, 'utf8');
  await appendFile(join(directory, found === mark ? 'passed' : 'violations'), `${mark} ${found}\n`);
}
