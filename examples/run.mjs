// Runs a command in a bundle and passes its exit code on: node examples/run.mjs ./bundle uname -a
import { launch } from '@ocijs/runtime';

const [bundle, ...args] = process.argv.slice(2);
if (bundle === undefined) throw new Error('usage: run.mjs BUNDLE [ARGUMENT…]');

const interruption = new AbortController();
process.once('SIGINT', () => interruption.abort());

await using container = await launch(bundle, {
  ...(args.length > 0 ? { args } : {}),
  stdio: 'inherit',
  signal: interruption.signal,
});
const { exitCode } = await container.wait();
process.exitCode = exitCode;
