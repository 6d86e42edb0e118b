import assert from 'node:assert/strict';
import { test } from 'node:test';
import { missing } from '../../kit/requirements.ts';
import { podman, skopeo } from './containers-tools.ts';
import { matrixScene } from './places.ts';
import { runTool } from './run-matrix.ts';
import { umoci } from './umoci.ts';

// `npm run interop` tries all tools.
for (const tool of [skopeo, umoci, podman]) {
  const skip = missing({ commands: [...tool.commands, 'skopeo'], root: tool.needsRoot === true });
  test(`${tool.name} reads what we write, and we read what it writes, wherever images are kept`, {
    skip,
  }, async () => {
    const withDockerRegistry = missing({ commands: ['docker-registry'] }) === false;
    await using scene = await matrixScene({ withDockerRegistry });
    const { cells } = await runTool(scene, tool);
    assert.deepEqual(
      cells.filter(({ outcome }) => outcome !== 'passed' && outcome !== 'not applicable'),
      [],
    );
    assert.ok(cells.some(({ outcome }) => outcome === 'passed'));
  });
}
