// A process of its own that serves the layout in argv[2] until it is killed; prints its URL.
import { startRegistry } from './index.ts';

const directory = process.argv[2];
if (directory === undefined) throw new TypeError('usage: serve.testkit.ts DIRECTORY');
const registry = await startRegistry({ directory });
process.stdout.write(`${registry.host}\n`);
