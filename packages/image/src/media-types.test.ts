import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isMediaType, MediaType, parseContentType } from './media-types.ts';
import { testTable } from './testing/tables.ts';

interface ContentTypeCase {
  readonly input: string;
  readonly expected: string;
}

testTable<ContentTypeCase>('tables/content-type.json', ({ input, expected }) => {
  assert.equal(parseContentType(input) ?? '', expected);
});

describe('media types', () => {
  test('all of ours are media types', () => {
    for (const mediaType of Object.values(MediaType)) assert.ok(isMediaType(mediaType), mediaType);
  });

  test('parameters, spaces and a third part are not', () => {
    for (const text of ['a/b; c=d', 'a /b', 'a/b/c', 'a', '/b', 'a/', `${'a'.repeat(128)}/b`, 'a/b\n'])
      assert.equal(isMediaType(text), false, text);
  });

  test('a header that is absent has no media type, and case does not matter', () => {
    assert.equal(parseContentType(null), undefined);
    assert.equal(parseContentType(undefined), undefined);
    assert.equal(parseContentType('Application/JSON'), 'application/json');
  });
});
