/** A program that makes containers, and that the soak kills at any moment: reads ids from its input, one a line. */
import { createInterface } from 'node:readline';
import { create, exec, kill, pause, remove, resume, start } from '@ocijs/runtime';

const [bundle = '', root = ''] = process.argv.slice(2);
const stdio = ['ignore', 'ignore', 'ignore'] as const;

async function live(id: string): Promise<void> {
  await create(id, { bundle, root, stdio });
  await start(id, { root });
  const variant = id.charCodeAt(id.length - 1) % 4;
  if (variant === 0) {
    await using process = await exec(id, { root, args: ['/bin/true'], stdio: 'ignore' });
    await process.wait();
  }
  if (variant === 1) {
    await pause(id, { root });
    resume(id, { root });
  }
  if (variant === 2) {
    // All at once: each of them may find the container in the other's hands.
    const ending = [async () => kill(id, 9, { root }), () => remove(id, { root, force: true })];
    await Promise.allSettled([...ending, ...ending].map((end) => end()));
  }
  await remove(id, { root, force: true });
}

process.stdout.write('ready\n');
for await (const id of createInterface({ input: process.stdin })) {
  live(id).then(
    () => process.stdout.write(`${id}\n`),
    (error: unknown) => {
      const { code, message } = error as { code?: string; message?: string };
      process.stdout.write(`${id} ${code}: ${message}\n`);
    },
  );
}
