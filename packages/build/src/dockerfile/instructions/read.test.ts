import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { isOciError } from '@ocijs/image/errors';
import { parseDockerfile } from '../dockerfile.ts';
import type { StageInstruction } from './types.ts';

function cases<Case>(name: string): readonly Case[] {
  const file = new URL(`../testdata/${name}.json`, import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { cases: readonly Case[] }).cases;
}

/** The only instruction after `FROM scratch`. */
function read(text: string): StageInstruction {
  const [instruction] = parseDockerfile(`FROM scratch\n${text}\n`).stages[0].instructions;
  assert.ok(instruction);
  return instruction;
}

function refused(text: string, message: RegExp): void {
  assert.throws(
    () => parseDockerfile(text),
    (error) => {
      assert.ok(isOciError(error, 'ERR_OCI_DOCKERFILE_INVALID'));
      assert.match(`${error.message}\n${error.hint}`, message);
      return true;
    },
  );
}

describe('third-party refusals', () => {
  for (const { name, dockerfile } of cases<{ name: string; dockerfile: string }>('instruction-errors'))
    test(name, () => refused(`FROM scratch\n${dockerfile}`, /line 2/));
});

interface HeredocCase {
  readonly kind: string;
  readonly dockerfile: string;
  readonly sourcesAndDest?: {
    readonly DestPath: string;
    readonly SourcePaths?: readonly string[];
    readonly SourceContents?: readonly {
      readonly Data: string;
      readonly Expand: boolean;
      readonly Path: string;
    }[];
  };
  readonly command?: readonly string[];
  readonly shell?: boolean;
  readonly files?: readonly { readonly Data: string; readonly Name: string }[];
}

describe('what COPY and RUN make of heredocs', () => {
  for (const entry of cases<HeredocCase>('heredoc').filter(({ dockerfile }) => dockerfile !== undefined))
    test(JSON.stringify(entry.dockerfile), () => {
      const instruction = read(entry.dockerfile);
      if (instruction.kind === 'copy') {
        const { DestPath, SourcePaths = [], SourceContents = [] } = entry.sourcesAndDest ?? { DestPath: '' };
        assert.equal(instruction.destination, DestPath);
        assert.deepEqual(instruction.sources, SourcePaths);
        assert.deepEqual(
          instruction.files.map(({ name, content, expand }) => ({
            Path: name,
            Data: content,
            Expand: expand,
          })),
          SourceContents,
        );
      } else {
        assert.ok(instruction.kind === 'run');
        const documents = (entry.files ?? []).map(({ Name, Data }) => `\n${Data}${Name}`).join('');
        assert.deepEqual(instruction.command.shell, entry.shell ?? true);
        assert.equal(
          instruction.command.arguments.join('|').trim(),
          `${entry.command?.join('|')}${documents}`,
        );
      }
    });
});

describe('instructions', () => {
  test('a script of a heredoc is the command itself', () => {
    const run = read('RUN --network=none <<A\necho "$x"\nA');
    assert.ok(run.kind === 'run');
    assert.deepEqual(run.command, { shell: true, arguments: ['echo "$x"\n'] });
    assert.equal(run.network, 'none');
  });

  test('the fields of a mount', () => {
    const run = read(
      'RUN --mount=type=cache,dst=/c,sharing=locked,mode=0700,uid=5 --mount=type=secret,id=x,env=X,required true',
    );
    assert.ok(run.kind === 'run');
    assert.deepEqual(run.mounts, [
      { type: 'cache', required: false, target: '/c', sharing: 'locked', mode: 0o700, uid: 5 },
      { type: 'secret', required: true, id: 'x', environment: 'X' },
    ]);
  });

  test('the flags of COPY and ADD', () => {
    const copy = read(
      'COPY --from=base --chown=1:2 --chmod=u+x --link --parents=false --exclude=*.md --exclude=b a "c d" /x/',
    );
    assert.ok(copy.kind === 'copy');
    const { node: _node, ...fields } = copy;
    assert.deepEqual(fields, {
      kind: 'copy',
      sources: ['a', '"c', 'd"'],
      files: [],
      destination: '/x/',
      from: 'base',
      owner: '1:2',
      mode: 'u+x',
      link: true,
      parents: false,
      exclude: ['*.md', 'b'],
      keepGitDirectory: false,
    });
  });

  test('a healthcheck', () => {
    const check = read('HEALTHCHECK --interval=1m30s --timeout=500ms --retries=3 CMD ["a", "b"]');
    assert.ok(check.kind === 'healthcheck');
    assert.deepEqual(
      [check.test, check.interval, check.timeout, check.retries],
      [['CMD', 'a', 'b'], 9e10, 5e8, 3],
    );
    const none = read('HEALTHCHECK NONE');
    assert.ok(none.kind === 'healthcheck');
    assert.deepEqual(none.test, ['NONE']);
  });

  test('ONBUILD keeps the text', () => {
    const onbuild = read('ONBUILD   COPY --chown=1 . \\\n /app');
    assert.ok(onbuild.kind === 'onbuild');
    assert.equal(onbuild.text, 'COPY --chown=1 .  /app');
  });

  const mistakes: readonly (readonly [string, RegExp])[] = [
    ['RUN true', /line 1.*RUN stands before the first FROM/],
    ['ARG a', /there is no FROM/],
    ['FROM', /FROM needs an image/],
    ['FROM a b c', /FROM image AS name/],
    ['FROM a AS 1b', /1b is no name for a stage/],
    ['FROM a\nCPOY a b', /line 2, column 1: unknown instruction CPOY.*did you mean COPY/s],
    ['FROM a\nCOPY --form=x a b', /column 6: COPY has no flag --form.*did you mean --from/s],
    ['FROM a\nCOPY --link=maybe a b', /true or false/],
    ['FROM a\nCOPY --from= a b', /needs a value/],
    ['FROM a\nCOPY --from=a --from=b a b', /once/],
    ['FROM a\nCOPY a', /at least one source/],
    ['FROM a\nCOPY <<A\nx\nA', /at least one source/],
    ['FROM a\nRUN', /needs a command/],
    ['FROM a\nRUN --mount=type=disk true', /type disk/],
    ['FROM a\nRUN --mount=type=cache true', /needs target/],
    ['FROM a\nRUN --mount=type=cache,targte=/a true', /did you mean target/],
    ['FROM a\nRUN --mount=type=tmpfs,target=/a,size=big true', /no size/],
    ['FROM a\nRUN --network=my true', /one of default, none, host/],
    ['FROM a\nENV =a', /before the =/],
    ['FROM a\nENV a=1 b', /has no =/],
    ['FROM a\nSHELL /bin/sh', /JSON/],
    ['FROM a\nHEALTHCHECK --interval=fast CMD true', /no duration/],
    ['FROM a\nHEALTHCHECK --interval=1us CMD true', /no duration/],
    ['FROM a\nHEALTHCHECK', /NONE, or CMD/],
    ['FROM a\nONBUILD', /needs an instruction/],
    ['FROM a\nONBUILD ONBUILD RUN true', /cannot be kept/],
    ['FROM a\nONBUILD COPY a', /at least one source/],
    ['FROM a\nCMD ["a", 1]', /only strings/],
    ['FROM a\nUSER', /needs a user/],
  ];
  for (const [text, message] of mistakes) test(JSON.stringify(text), () => refused(text, message));
});

test('devices by their names of the container device interface', () => {
  const devices = (flags: string) => {
    const [stage] = parseDockerfile(`FROM a\nRUN ${flags} true`).stages;
    const [run] = stage.instructions;
    return run?.kind === 'run' ? run.devices : [];
  };
  assert.deepEqual(
    devices('--device=vendor.com/gpu=all --device=name=a.b/c,required --device=a.b/c=*,required=false'),
    [
      { name: 'vendor.com/gpu=all', required: false },
      { name: 'a.b/c', required: true },
      { name: 'a.b/c=*', required: false },
    ],
  );
  for (const flag of ['gpu', '../x/y=z', 'a.b/c,requird', 'a.b/c,required=maybe', 'required'])
    assert.throws(
      () => devices(`--device=${flag}`),
      (error) => isOciError(error, 'ERR_OCI_DOCKERFILE_INVALID'),
      flag,
    );
});
