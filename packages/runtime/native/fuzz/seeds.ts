/** Writes some plans, as `compilePlan` makes them, to a directory: what a fuzzer starts from. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { compilePlan } from '../../src/plan/compile.ts';
import { planInput, planSpec } from '../../src/plan/testing/input.ts';

const [directory = '.'] = process.argv.slice(2);
const namespaces = (['pid', 'mount', 'user', 'time', 'network'] as const).map((type) => ({ type }));
const mapping = [{ containerID: 0, hostID: 100_000, size: 65_536 }];
const specs = [
  planSpec(),
  planSpec({
    hostname: 'host',
    mounts: [{ destination: '/tmp', type: 'tmpfs', source: 'tmpfs', options: ['size=1m', 'ro'] }],
  }),
  planSpec({
    linux: {
      namespaces,
      uidMappings: mapping,
      gidMappings: mapping,
      maskedPaths: ['/proc/keys'],
      readonlyPaths: ['/proc/sys'],
    },
  }),
];
for (const [index, spec] of specs.entries()) {
  writeFileSync(join(directory, `plan-${index}`), compilePlan(planInput(spec)).bytes);
}
