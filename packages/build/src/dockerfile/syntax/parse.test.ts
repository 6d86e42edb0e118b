import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { isOciError } from '@ocijs/image/errors';
import { jsonArray } from './arguments.ts';
import { detectSyntax } from './directives.ts';
import { heredocsOf, parseHeredoc } from './heredoc.ts';
import { type InstructionNode, parseSyntax } from './parse.ts';

const testdata = new URL('../testdata/', import.meta.url);
const shared = new URL('../../../../../../shared/testdata/dockerfile/', import.meta.url);

function cases<Case>(name: string): readonly Case[] {
  return (JSON.parse(readFileSync(new URL(`${name}.json`, testdata), 'utf8')) as { cases: readonly Case[] })
    .cases;
}

/** The text form of the third-party expectations. */
function dump(node: InstructionNode): string {
  const flags = node.flags.length > 0 ? ` [${node.flags.map(quote).join(' ')}]` : '';
  const trigger = node.trigger === undefined ? '' : ` (${dump(node.trigger)})`;
  return `${node.name.toLowerCase()}${flags}${node.values.map((value) => ` ${quote(value)}`).join('')}${trigger}`;
}

function quote(value: string): string {
  return JSON.stringify(value).replaceAll('\\u0000', '\\x00');
}

function dumpFile(text: string): string {
  return parseSyntax(text)
    .instructions.map((node) => `(${dump(node)})`)
    .join('\n');
}

describe('third-party Dockerfiles', () => {
  for (const name of readdirSync(new URL('parser/', testdata)))
    test(name, () => {
      const read = (file: string): string =>
        readFileSync(new URL(`parser/${name}/${file}`, testdata), 'utf8');
      assert.equal(dumpFile(read('Dockerfile')), read('result').trim());
    });
  for (const name of readdirSync(new URL('parser-negative/', testdata)))
    test(`refused: ${name}`, () => {
      const text = readFileSync(new URL(`parser-negative/${name}/Dockerfile`, testdata), 'utf8');
      assert.throws(
        () => parseSyntax(text),
        (error) => isOciError(error, 'ERR_OCI_DOCKERFILE_INVALID'),
      );
    });
});

interface ExpectedInstruction {
  readonly value: string;
  readonly args?: readonly string[];
  readonly flags?: readonly string[];
  readonly json?: boolean;
  readonly start: number;
  readonly end: number;
  readonly comments?: readonly string[];
  readonly heredocs?: readonly {
    readonly Name: string;
    readonly Content: string;
    readonly FD: number;
    readonly Expand: boolean;
    readonly Chomp: boolean;
  }[];
}

interface ExpectedFile {
  readonly dump: string;
  readonly escape: string;
  readonly syntax?: string;
  readonly instructions: readonly ExpectedInstruction[];
}

describe('Dockerfiles of well-known projects', {
  skip: existsSync(shared) ? false : 'needs the third-party test data beside the checkout',
}, () => {
  const { files } = existsSync(shared)
    ? (JSON.parse(readFileSync(new URL('real-asts.json', shared), 'utf8')) as {
        files: Readonly<Record<string, ExpectedFile>>;
      })
    : { files: {} };
  for (const [name, expected] of Object.entries(files))
    test(name, () => {
      const text = readFileSync(new URL(`real/${name}`, shared), 'utf8');
      const { directives, instructions } = parseSyntax(text);
      assert.equal(directives.escape, expected.escape);
      assert.equal(directives.syntax, expected.syntax);
      assert.equal(dumpFile(text), expected.dump);
      assert.equal(instructions.length, expected.instructions.length);
      for (const [index, instruction] of expected.instructions.entries())
        assertInstruction(instructions[index], instruction);
    });
});

function assertInstruction(actual: InstructionNode | undefined, expected: ExpectedInstruction): void {
  assert.ok(actual);
  const { startLine, endLine, flags, json, comments, heredocs } = actual;
  assert.deepEqual([startLine, endLine], [expected.start, expected.end], expected.value);
  assert.deepEqual(flags, expected.flags ?? []);
  assert.equal(json, expected.json ?? false);
  assert.deepEqual(
    comments.map(({ text }) => text),
    expected.comments ?? [],
  );
  assert.deepEqual(
    heredocs.map(({ name, content, fileDescriptor, expand, stripTabs }) => [
      name,
      content,
      fileDescriptor,
      expand,
      stripTabs,
    ]),
    (expected.heredocs ?? []).map(({ Name, Content, FD, Expand, Chomp }) => [
      Name,
      // The table keeps the tabs, which belong to nobody.
      Chomp ? Content.replace(/^\t+/gm, '') : Content,
      FD,
      Expand,
      Chomp,
    ]),
  );
}

interface HeredocCase {
  readonly kind: string;
  readonly input?: string;
  readonly result?: string | null;
  readonly line?: string;
  readonly names?: readonly string[];
}

describe('heredocs', () => {
  for (const { kind, input = '', result, line = '', names } of cases<HeredocCase>('heredoc')) {
    if (kind === 'token')
      test(input, () => {
        if (result === 'error') assert.throws(() => parseHeredoc(input));
        else assert.equal(parseHeredoc(input)?.name ?? null, result);
      });
    if (kind === 'line')
      test(line, () => {
        assert.deepEqual(
          heredocsOf(line).map(({ name }) => name),
          names,
        );
      });
  }

  test('tabs of <<- are no part of it, and an open one names its line', () => {
    const [, copy] = parseSyntax('FROM scratch\nCOPY <<-A <<B /x/\n\t\tone\n\tA\n\ttwo\nB\n').instructions;
    assert.deepEqual(
      copy?.heredocs.map(({ content }) => content),
      ['one\n', '\ttwo\n'],
    );
    assert.throws(
      () => parseSyntax('FROM scratch\nRUN \\\n  cat <<A\nx\n'),
      (error) => isOciError(error) && error.facts.line === 3 && error.facts.column === 7,
    );
  });
});

describe('arrays of arguments', () => {
  interface JsonCase {
    readonly input: string;
    readonly valid?: boolean;
    readonly expect?: readonly string[];
  }
  for (const { input, valid, expect } of cases<JsonCase>('json-form'))
    test(input, () => {
      if (valid === false) assert.ok(!isArray(input));
      else if (expect !== undefined) assert.deepEqual(jsonArray(input)?.values, expect);
    });

  function isArray(input: string): boolean {
    try {
      return jsonArray(input) !== undefined;
    } catch {
      return false;
    }
  }
});

describe('the frontend that a file asks for', () => {
  for (const { file, syntax } of cases<{ file: string; syntax: string | null }>('syntax-detect'))
    test(JSON.stringify(file), () => assert.equal(detectSyntax(file) ?? null, syntax));
});

describe('positions', () => {
  test('an offset of a joined line is found in the file', () => {
    const [node] = parseSyntax('  RUN one \\\n# remark\n\n  two\n').instructions;
    assert.ok(node);
    assert.equal(node.text, 'RUN one   two');
    assert.deepEqual(node.positionAt(node.text.indexOf('one')), { line: 1, column: 7 });
    assert.deepEqual(node.positionAt(node.text.indexOf('two')), { line: 4, column: 3 });
    assert.ok(node.emptyContinuation);
  });

  test('a message shows the line and the place', () => {
    assert.throws(
      () => parseSyntax('FROM busybox\nENV PATH\n'),
      /line 2, column 5: ENV needs a name and a value\n {2}2 \| ENV PATH\n {4}\| {5}\^/,
    );
  });
});
