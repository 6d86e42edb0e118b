import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { symlink, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { describe, test } from 'node:test';
import { command } from '../kit/command.ts';
import { ociProgram, runtimeProgram } from '../kit/oci.ts';
import { temporaryDirectory } from '../kit/temporary.ts';

const skip = process.platform === 'win32' ? 'the programs are started by a shell' : false;

/** Node itself takes --env-file wherever it stands, loads the file, and does what NODE_OPTIONS in there says. */
describe('a file of variables for a container is none for the program that starts it', { skip }, () => {
  for (const [name, program, words] of [
    ['oci', ociProgram, ['run', '--env-file', 'variables', 'oci:nowhere']],
    ['oci', ociProgram, ['run', 'oci:nowhere', 'tool', '--env-file=variables']],
    ['oci-runtime', runtimeProgram, ['exec', 'nothing', 'tool', '--env-file', 'variables']],
  ] as const) {
    test(`${name} ${words.join(' ')}`, async () => {
      await using temporary = await temporaryDirectory();
      const { path: cwd } = temporary;
      const required = `--require=${cwd}/hostile.cjs`;
      await writeFile(`${cwd}/variables`, `NODE_OPTIONS=${required}\n`);
      await writeFile(`${cwd}/hostile.cjs`, `require('node:fs').writeFileSync('${cwd}/ran', '')`);
      await symlink(program, `${cwd}/program`);
      const env = {
        PATH: `${dirname(process.execPath)}:/usr/bin:/bin`,
        OCI_STORE: `${cwd}/store`,
        OCI_ROOT: cwd,
      };
      const { status, stderr } = await command(`${cwd}/program`, words, { cwd, env });
      assert.match(stderr, /nowhere|nothing/, 'the program itself has run');
      assert.notEqual(status, 0);
      assert.ok(!existsSync(`${cwd}/ran`));
    });
  }
});
