import { missing } from '../../kit/requirements.ts';
import { matrixScene } from './places.ts';
import { allTools, type Cell, runTool } from './run-matrix.ts';
import { media } from './types.ts';

// `npm run interop`: other tools read what we write and write what we read, wherever images are kept.
const withDockerRegistry = missing({ commands: ['docker-registry'] }) === false;
await using scene = await matrixScene({ withDockerRegistry });
const marks = { passed: '✓', failed: '✗', 'not applicable': '–', 'not installed': 'not installed' } as const;
const reasons = new Map<string, string>();
const say = (line: string): void => void process.stdout.write(`${line}\n`);
const mark = ({ outcome, reason, tool, medium, direction }: Cell): string => {
  if (reason !== undefined)
    reasons.set(outcome === 'failed' ? `${tool} ${direction}, ${medium}` : tool, reason);
  return marks[outcome];
};
let failures = 0;
say(`| tool | ${media.join(' | ')} |`);
say(`|---|${media.map(() => '---|').join('')}`);
for (const tool of allTools(scene)) {
  const { version, cells } = await runTool(scene, tool);
  const columns = media.map((medium) =>
    cells
      .filter((cell) => cell.medium === medium)
      .map(mark)
      .join(' '),
  );
  failures += cells.filter(({ outcome }) => outcome === 'failed').length;
  say(`| ${tool.name} ${version} | ${columns.join(' | ')} |`);
}
say('\nEach cell: the tool reads ours, and writes for us. –: the tool has no such form.');
for (const [what, reason] of reasons) say(`- ${what}: ${reason}`);
process.exitCode = failures === 0 ? 0 : 1;
