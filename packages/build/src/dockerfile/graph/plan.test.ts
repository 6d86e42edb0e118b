import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isOciError } from '@ocijs/image/errors';
import { parseDockerfile } from '../dockerfile.ts';
import { type BuildPlan, type PlanOptions, planBuild } from './plan.ts';

const amd64 = { os: 'linux', architecture: 'amd64' };
const arm64 = { os: 'linux', architecture: 'arm64' };

function plan(text: string, options: Partial<PlanOptions> = {}): BuildPlan {
  return planBuild(parseDockerfile(text), {
    given: new Map(),
    targetPlatform: arm64,
    buildPlatform: amd64,
    ...options,
  });
}

function indexes({ stages }: BuildPlan): readonly number[] {
  return stages.map(({ stage }) => stage.index);
}

describe('the stages of a build', () => {
  test('only what the target needs, what is needed first', () => {
    const text = [
      'FROM a AS one',
      'FROM b AS two',
      'RUN --mount=from=one,target=/x true',
      'FROM c AS three',
      'FROM Two',
      'COPY --from=0 a b',
      'COPY --from=example.com/x:1 a b',
    ].join('\n');
    const last = plan(text);
    assert.deepEqual(indexes(last), [0, 1, 3]);
    assert.deepEqual(last.target.base, { kind: 'stage', index: 1 });
    assert.deepEqual(
      [...last.target.sources],
      [
        ['0', { kind: 'stage', index: 0 }],
        ['example.com/x:1', { kind: 'image', name: 'example.com/x:1' }],
      ],
    );
    assert.deepEqual(indexes(plan(text, { target: 'THREE' })), [2]);
    assert.deepEqual(indexes(plan(text, { target: '1' })), [0, 1]);
  });

  test('of two stages with one name the last before the use is meant', () => {
    const { target } = plan('FROM a AS x\nFROM b AS x\nFROM x\nCOPY --from=x a b');
    assert.deepEqual(target.base, { kind: 'stage', index: 1 });
  });

  test('a context that is named hides stages and images', () => {
    const { target } = plan('FROM a AS x\nFROM x\nCOPY --from=y a b', {
      contexts: new Map([
        ['x', {}],
        ['y', {}],
      ]),
    });
    assert.deepEqual(target.base, { kind: 'context', name: 'x' });
    assert.deepEqual(target.sources.get('y'), { kind: 'context', name: 'y' });
  });

  test('arguments before FROM, with what was given, and platforms', () => {
    const text = 'ARG V=1\nARG I=debian:$V\nFROM --platform=$BUILDPLATFORM $I AS x\nFROM scratch';
    const build = plan(text, { given: new Map([['V', '2']]), target: 'x' });
    assert.deepEqual(build.target.base, { kind: 'image', name: 'debian:2' });
    assert.deepEqual(build.target.platform, amd64);
    assert.deepEqual(plan(text).target.platform, arm64);
    assert.deepEqual(plan(text).target.base, { kind: 'scratch' });
  });

  const mistakes: readonly (readonly [string, Partial<PlanOptions>, RegExp])[] = [
    ['FROM a AS build', { target: 'biuld' }, /there is no stage biuld.*did you mean build/s],
    ['ARG B\nFROM $B', {}, /line 2, column 6: the base \$B is empty.*--build-arg/s],
    ['FROM a\nCOPY --from=0 a b', {}, /no stage 0 before/],
    ['FROM a AS x\nCOPY --from=x a b', {}, /cannot take files from itself/],
    ['FROM --platform=a/b/c/d x', {}, /line 1/],
    [`FROM $\{B:?missing}`, {}, /B: missing/],
  ];
  for (const [text, options, message] of mistakes)
    test(`refused: ${JSON.stringify(text)}`, () => {
      assert.throws(
        () => plan(text, options),
        (error) => {
          assert.ok(isOciError(error, 'ERR_OCI_DOCKERFILE_INVALID'));
          assert.match(`${error.message}\n${error.hint}`, message);
          return true;
        },
      );
    });
});
