import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseDockerfile } from '../dockerfile.ts';
import type { StageInstruction } from '../instructions/types.ts';
import { expandInstruction } from './expand-instruction.ts';
import { declareArgument, type StageScope, setEnvironment, startScope } from './scope.ts';

/** The instruction after the others were evaluated, as a build does. */
function evaluate(text: string, given: Readonly<Record<string, string>> = {}): StageInstruction {
  const { stages, syntax } = parseDockerfile(`FROM scratch\n${text}\n`);
  const options = {
    given: new Map(Object.entries(given)),
    global: { variables: new Map([['GLOBAL', 'g']]) },
  };
  let scope: StageScope = startScope(new Map([['PATH', '/bin']]));
  let last: StageInstruction | undefined;
  for (const written of stages[0].instructions) {
    last = expandInstruction(written, { scope, escape: syntax.directives.escape, line: syntax.line });
    if (last.kind === 'arg')
      for (const declaration of last.declarations) scope = declareArgument(scope, declaration, options);
    if (last.kind === 'env')
      scope = setEnvironment(
        scope,
        last.pairs.map(({ name, value }) => [name, value]),
      );
  }
  assert.ok(last);
  return last;
}

function labels(
  text: string,
  given: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string>> {
  const instruction = evaluate(text, given);
  assert.ok(instruction.kind === 'label');
  return Object.fromEntries(instruction.pairs.map(({ name, value }) => [name, value]));
}

describe('variables in a stage', () => {
  test('arguments: what is given, the default, the global one, nothing', () => {
    const text = 'ARG A=1 B=2\nARG GLOBAL C\nLABEL a=$A b=$B c=[$C] g=$GLOBAL';
    assert.deepEqual(labels(text, { A: 'x' }), { a: 'x', b: '2', c: '[]', g: 'g' });
    assert.deepEqual(labels('LABEL g=[$GLOBAL]'), { g: '[]' }, 'a global argument has to be declared');
  });

  test('the environment hides an argument, whatever is given', () => {
    assert.deepEqual(labels('ENV A=env\nARG A=arg\nLABEL a=$A', { A: 'given' }), { a: 'env' });
  });

  test('pairs of one instruction see the environment before it', () => {
    assert.deepEqual(labels('ENV abc=hello\nENV abc=bye def=$abc\nENV ghi=$abc\nLABEL d=$def g=$ghi'), {
      d: 'hello',
      g: 'bye',
    });
  });

  test('quotes and escapes', () => {
    assert.deepEqual(labels(`ENV X=1\nLABEL a="$X b" b='$X' c=\\$X d=a\\ b "e f"=x`), {
      a: '1 b',
      b: '$X',
      c: '$X',
      d: 'a b',
      'e f': 'x',
    });
  });

  test('commands stay as they are, the rest of RUN does not', () => {
    const run = evaluate('ENV D=/cache\nRUN --mount=type=cache,target=$D echo $D');
    assert.ok(run.kind === 'run');
    assert.deepEqual([run.command.arguments, run.mounts[0]?.target], [['echo $D'], '/cache']);
  });

  test('a JSON array keeps its quotes', () => {
    const copy = evaluate('ENV N=x\nCOPY ["it\'s $N", "/a/"]');
    assert.ok(copy.kind === 'copy');
    assert.deepEqual(copy.sources, ["it's x"]);
  });

  test('documents keep their quotes; quoted names keep everything', () => {
    const copy = evaluate(`ENV N=x\nCOPY <<A <<'B' /d/\n"$N" \\$N\nA\n"$N"\nB`);
    assert.ok(copy.kind === 'copy');
    assert.deepEqual(
      copy.files.map(({ content }) => content),
      ['"x" $N\n', '"$N"\n'],
    );
  });

  test('ports may be several words of one variable', () => {
    const expose = evaluate('ENV P="80 443/tcp"\nEXPOSE $P 53/udp');
    assert.ok(expose.kind === 'expose');
    assert.deepEqual(expose.values, ['80', '443/tcp', '53/udp']);
  });
});
