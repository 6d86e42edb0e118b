import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDockerfile } from './dockerfile.ts';
import { describeTargets, outline } from './outline.ts';

const dockerfile = parseDockerfile(`
# VERSION of the compiler
ARG VERSION=1
# build compiles it all,
# with optimisation
FROM cc:$VERSION AS build
ARG VERSION
ARG FLAGS
RUN --mount=type=secret,id=token,required --mount=type=ssh true
FROM scratch
COPY --from=build /a /a
`);

test('the targets, with their comments', () => {
  assert.deepEqual(describeTargets(dockerfile), [
    {
      name: 'build',
      base: 'cc:$VERSION',
      isDefault: false,
      description: 'compiles it all, with optimisation',
    },
    { name: '1', base: 'scratch', isDefault: true },
  ]);
});

test('what a target can be given', () => {
  assert.deepEqual(outline(dockerfile, { target: 'build', stages: dockerfile.stages }), {
    target: 'build',
    arguments: [{ name: 'VERSION', value: '1', description: 'of the compiler' }, { name: 'FLAGS' }],
    secrets: [{ id: 'token', required: true }],
    agents: [{ id: 'default', required: false }],
  });
});
