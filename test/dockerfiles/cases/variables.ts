import { type DockerfileCase, lines } from '../case.ts';

/** ARG and ENV. */
export const variableCases: readonly DockerfileCase[] = [
  {
    name: 'ARG: default, given, not declared',
    dockerfile: lines(
      'FROM base',
      'ARG A=1',
      'ARG B=2',
      'ARG C',
      'RUN echo "$A $B $C $D" > /out',
      'ENV A=$A B=$B',
    ),
    flags: ['--build-arg', 'B=given', '--build-arg', 'C=c'],
  },
  {
    name: 'ARG ends with its stage',
    dockerfile: lines('FROM base AS one', 'ARG A=1', 'FROM base', 'RUN echo "<$A>" > /out'),
  },
  {
    name: 'ENV hides ARG',
    dockerfile: lines('FROM base', 'ENV V=env', 'ARG V=arg', 'RUN echo $V > /out', 'LABEL v=$V'),
    flags: ['--build-arg', 'V=given'],
  },
  {
    name: 'ENV: forms and quotes',
    dockerfile: lines(
      'FROM base',
      'ENV OLD with several words',
      'ENV A=a B="b  b" C=c\\ c D=\'$A\' E="$A" F=a"b"\'c\'',
      'ENV G=\\$A H="\\"q\\"" EMPTY=',
    ),
    quick: true,
  },
  {
    name: 'ENV sees the values before its line',
    dockerfile: lines('FROM base', 'ENV A=old', 'ENV A=new B=$A', 'ENV C=$A'),
  },
  {
    name: 'defaults and alternatives',
    dockerfile: lines(
      'FROM base',
      'ARG SET=x',
      'ARG EMPTY=',
      `ENV A=\${SET:-d} B=\${UNSET:-d} C=\${EMPTY:-d} D=\${SET:+y} E=\${UNSET:+y} F=\${EMPTY:+y}`,
    ),
  },
  {
    name: 'defaults and alternatives that take empty for set',
    dockerfile: lines(
      'FROM base',
      'ARG EMPTY=',
      `ENV A=\${UNSET-d} B=\${EMPTY-d} C=\${EMPTY+y}`,
      'RUN echo "<$A> <$B> <$C>" > /out',
    ),
    unknown: '1.28 has no operators without a colon',
    expect: { out: 'file 644 0:0 <d> <> <y>\n' },
  },
  {
    name: 'removing what matches',
    dockerfile: lines(
      'FROM base',
      'ARG P=/usr/local/lib/x.tar.gz',
      `ENV A=\${P#/usr/} B=\${P##*/} C=\${P%.*} D=\${P%%.*} E=\${P/usr/opt} F=\${P//l/L}`,
      'RUN echo $A $B $C $D $E $F > /out',
    ),
    unknown: '1.28 has no such operators',
    expect: {
      out: 'file 644 0:0 local/lib/x.tar.gz x.tar.gz /usr/local/lib/x.tar /usr/local/lib/x /opt/local/lib/x.tar.gz /usr/LocaL/Lib/x.tar.gz\n',
    },
  },
  {
    name: 'variables in COPY, WORKDIR, USER, LABEL, EXPOSE, VOLUME, STOPSIGNAL',
    dockerfile: lines(
      'FROM base',
      'ARG SRC=a DST=/dst U=app P=80',
      'WORKDIR /$U/x',
      `COPY $SRC $DST/\${SRC}.copy`,
      'USER $U',
      'LABEL l.$U="$P"',
      'EXPOSE $P/udp',
      'VOLUME /v/$U',
      `STOPSIGNAL \${S:-SIGQUIT}`,
    ),
    context: 'echo a > a',
  },
  {
    name: 'arguments of the platform',
    dockerfile: lines(
      'FROM base',
      'ARG TARGETOS TARGETARCH TARGETPLATFORM',
      'ENV T=$TARGETOS/$TARGETARCH=$TARGETPLATFORM',
    ),
  },
  {
    name: 'FROM --platform=$BUILDPLATFORM',
    dockerfile: lines(
      'FROM --platform=$BUILDPLATFORM base AS b',
      'RUN echo x > /x',
      'FROM base',
      'COPY --from=b /x /x',
    ),
  },
];
