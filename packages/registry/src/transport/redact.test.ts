import assert from 'node:assert/strict';
import { test } from 'node:test';
import { printable, redactUrl, withoutSecrets } from './redact.ts';

test('URLs lose user, password, fragment and values that may be secret', () => {
  assert.equal(
    redactUrl('https://u:p@h:1/v2/a?digest=sha256:1&X-Amz-Signature=s&_state=t#f'),
    'https://h:1/v2/a?digest=sha256:1&X-Amz-Signature=***&_state=***',
  );
  assert.equal(redactUrl('nonsense'), '(not a URL)');
});

test('foreign text becomes one line of limited length', () => {
  assert.equal(printable('a\u001b[31m\r\nb\u202ec\u0085d'), 'a [31m b c d');
  assert.ok(printable('x'.repeat(10_000)).length < 400);
});

test('secrets vanish, also when they are repeated', () => {
  assert.equal(withoutSecrets('tok-1 and tok-1', ['tok-1']), '*** and ***');
  assert.equal(withoutSecrets('abc', ['a', '']), 'abc');
});
