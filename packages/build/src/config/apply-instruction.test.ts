import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ExecutionConfig } from '@ocijs/image';
import { isOciError } from '@ocijs/image/errors';
import { parseDockerfile } from '../dockerfile/dockerfile.ts';
import { applyInstruction, type ConfigState } from './apply-instruction.ts';

function apply(text: string, base: ExecutionConfig = {}): ExecutionConfig {
  const start: ConfigState = { config: base, ownCommand: false };
  return parseDockerfile(`FROM scratch\n${text}`).stages[0].instructions.reduce(applyInstruction, start)
    .config;
}

describe('what instructions make of the configuration', () => {
  const cases: readonly (readonly [string, ExecutionConfig, ExecutionConfig])[] = [
    ['ENV A=1 B=2\nENV A=3', { Env: ['PATH=/bin'] }, { Env: ['PATH=/bin', 'A=3', 'B=2'] }],
    ['LABEL a=1\nLABEL b=2', { Labels: { a: '0' } }, { Labels: { a: '1', b: '2' } }],
    ['CMD ls -l', {}, { Cmd: ['/bin/sh', '-c', 'ls -l'] }],
    ['SHELL ["/bin/bash", "-e"]\nCMD ls', {}, { Shell: ['/bin/bash', '-e'], Cmd: ['/bin/bash', '-e', 'ls'] }],
    ['ENTRYPOINT ["a"]', { Cmd: ['old'], Entrypoint: ['old'] }, { Entrypoint: ['a'] }],
    ['CMD ["x"]\nENTRYPOINT ["a"]', { Cmd: ['old'] }, { Cmd: ['x'], Entrypoint: ['a'] }],
    ['CMD []', { Cmd: ['old'] }, { Cmd: [] }],
    [
      'EXPOSE 80 53/UDP 8000-8002',
      {},
      { ExposedPorts: { '80/tcp': {}, '53/udp': {}, '8000/tcp': {}, '8001/tcp': {}, '8002/tcp': {} } },
    ],
    ['VOLUME /a /b', { Volumes: { '/c': {} } }, { Volumes: { '/c': {}, '/a': {}, '/b': {} } }],
    ['WORKDIR a\nWORKDIR b/../c', { WorkingDir: '/x' }, { WorkingDir: '/x/a/c' }],
    ['WORKDIR /a\nWORKDIR ../../..', {}, { WorkingDir: '/' }],
    ['USER app:app\nSTOPSIGNAL SIGINT', {}, { User: 'app:app', StopSignal: 'SIGINT' }],
    [
      'HEALTHCHECK --interval=1s CMD true',
      {},
      { Healthcheck: { Test: ['CMD-SHELL', 'true'], Interval: 1e9 } },
    ],
    ['ONBUILD RUN true', { OnBuild: ['RUN a'] }, { OnBuild: ['RUN a', 'RUN true'] }],
    ['ARG a\nRUN true\nCOPY a b', { Cmd: ['x'] }, { Cmd: ['x'] }],
  ];
  for (const [text, base, expected] of cases)
    test(JSON.stringify(text), () => assert.deepEqual(apply(text, base), expected));

  for (const port of ['http', '70000', '9-8', '1/icmp', '-1'])
    test(`${port} is no port`, () => {
      assert.throws(
        () => apply(`EXPOSE ${port}`),
        (error) => isOciError(error, 'ERR_OCI_DOCKERFILE_INVALID'),
      );
    });
});
