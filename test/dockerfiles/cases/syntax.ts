import { type DockerfileCase, lines } from '../case.ts';

/** Lines, forms, heredocs. */
export const syntaxCases: readonly DockerfileCase[] = [
  {
    name: 'escape directive',
    dockerfile: lines('# escape=`', 'FROM base', 'RUN echo one `', '  two > /out', 'ENV P=C:\\dir'),
    differs: {
      what: ['config Env'],
      why: 'with another escape character a backslash is a character like any other; buildah removes it from the value of ENV',
    },
  },
  {
    name: 'continued lines with comments and empty lines',
    dockerfile: lines('FROM base', 'RUN echo one \\', '# not this', '', '   two \\', '   > /out'),
  },
  { name: 'lower case', dockerfile: lines('from base as x', 'run echo a > /out', 'env a=b', 'cmd ["x"]') },
  {
    name: 'JSON and shell forms',
    dockerfile: lines(
      'FROM base',
      'RUN ["sh", "-c", "echo $HOME > /out"]',
      'ENTRYPOINT ["/bin/sh", "-c"]',
      'CMD echo shell form',
    ),
  },
  {
    name: 'RUN with a heredoc',
    dockerfile: lines('FROM base', 'RUN <<EOF', 'echo one > /out', 'echo two >> /out', 'EOF'),
    unknown: 'heredocs came with 1.33',
    expect: { out: 'file 644 0:0 one\ntwo\n' },
  },
  {
    name: 'RUN with a heredoc for a command, tabs removed',
    dockerfile: lines('FROM base', 'RUN cat <<-A > /out && cat <<B >> /out', '\t\tone', '\tA', '\ttwo', 'B'),
    unknown: 'heredocs came with 1.33',
    expect: { out: 'file 644 0:0 one\n\ttwo\n' },
  },
  {
    name: 'RUN with a script that has an interpreter',
    dockerfile: lines('FROM base', 'RUN <<EOF', '#!/bin/cat', 'echo not run', 'EOF'),
    unknown: 'heredocs came with 1.33',
    expect: {},
  },
  {
    name: 'COPY with heredocs, with and without variables',
    dockerfile: lines(
      'FROM scratch',
      'ARG V=value',
      'COPY --chmod=600 <<one <<"two" /d/',
      '$V',
      'one',
      '$V',
      'two',
    ),
    unknown: 'heredocs came with 1.33',
    expect: { 'd/one': 'file 600 0:0 value\n', 'd/two': 'file 600 0:0 $V\n' },
  },
  {
    name: 'MAINTAINER',
    dockerfile: lines('FROM base', 'MAINTAINER somebody <a@example.com>'),
  },
];
