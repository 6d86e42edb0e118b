import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CliError, Interrupted, usageError } from './errors.ts';
import { exitCodeOf, exitCodeOfSignal } from './exit-codes.ts';

const withCode = (code: string): Error => Object.assign(new Error('x'), { code });

test('exit codes follow the documented table', () => {
  const table: [unknown, string, number][] = [
    [usageError('x'), 'pull', 2],
    [usageError('x'), 'run', 2],
    [new CliError('ERR_OCI_TRANSPORT_UNSUPPORTED', 'x'), 'inspect', 2],
    [withCode('ERR_OCI_REFERENCE_INVALID'), 'pull', 2],
    [withCode('ERR_OCI_DIGEST_MISMATCH'), 'pull', 1],
    [withCode('ERR_OCI_DIGEST_MISMATCH'), 'run', 125],
    [withCode('ERR_OCI_EXEC_NOT_FOUND'), 'run', 127],
    [withCode('ERR_OCI_EXEC_DENIED'), 'run', 126],
    [withCode('ERR_OCI_EXEC_DENIED'), 'exec', 126],
    [withCode('ERR_OCI_CONTAINER_NOT_FOUND'), 'exec', 125],
    [new Error('x'), 'run', 125],
    [new Error('x'), 'pull', 1],
    [new Interrupted('SIGINT'), 'run', 130],
    [new Interrupted('SIGTERM'), 'pull', 143],
    ['text', 'pull', 1],
  ];
  for (const [error, command, code] of table) assert.equal(exitCodeOf(error, command), code);
});

test('signals are 128 and their number', () => {
  assert.equal(exitCodeOfSignal('SIGKILL'), 137);
  assert.equal(exitCodeOfSignal('SIGINT'), 130);
});
