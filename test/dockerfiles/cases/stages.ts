import { type DockerfileCase, lines } from '../case.ts';

/** Stages, targets, contexts by name. */
export const stageCases: readonly DockerfileCase[] = [
  { name: 'FROM scratch', dockerfile: lines('FROM scratch', 'COPY a /a'), context: 'echo a > a' },
  {
    name: 'COPY --from a stage by name',
    dockerfile: lines(
      'FROM base AS build',
      'RUN mkdir /made && echo x > /made/x && chmod 640 /made/x && chown 7:8 /made/x && ln -s x /made/l',
      'FROM base',
      'COPY --from=build /made /copied',
    ),
    quick: true,
  },
  {
    name: 'COPY --from a stage by number',
    dockerfile: lines('FROM base', 'RUN echo x > /x', 'FROM scratch', 'COPY --from=0 /x /y'),
  },
  {
    name: 'COPY --from an image',
    dockerfile: lines('FROM scratch', 'COPY --from=base /etc/passwd /data/'),
  },
  {
    name: 'a stage that is not needed is not built',
    dockerfile: lines('FROM base AS broken', 'RUN false', 'FROM base', 'RUN echo ok > /ok'),
  },
  {
    name: '--target',
    dockerfile: lines(
      'FROM base AS one',
      'ENV ONE=1',
      'FROM one AS two',
      'ENV TWO=2',
      'FROM two',
      'ENV THREE=3',
    ),
    flags: ['--target', 'two'],
  },
  {
    name: 'a stage on a stage has its environment, user and directory',
    dockerfile: lines(
      'FROM base AS one',
      'ENV A=a',
      'WORKDIR /home/app',
      'USER app',
      'FROM one',
      'RUN echo "$A $(id -u) $(pwd)" > out',
    ),
  },
  {
    name: 'arguments before FROM',
    dockerfile: lines(
      'ARG NAME=base',
      'ARG TAG=latest',
      `FROM $NAME:\${TAG}`,
      'ARG NAME',
      'ENV FROM=$NAME TAG=$TAG',
    ),
  },
  {
    name: '--build-context: a directory',
    dockerfile: lines('FROM scratch', 'COPY --from=other /o /o'),
    context: 'mkdir other; echo o > other/o; chmod 600 other/o',
    flags: ['--build-context', 'other=CONTEXT/other'],
  },
  {
    name: '--build-context: an image in the place of a stage',
    dockerfile: lines('FROM missing AS build', 'FROM scratch', 'COPY --from=build /etc/group /g'),
    flags: ['--build-context', 'build=docker-image://base'],
  },
  {
    name: 'RUN --mount from a stage',
    dockerfile: lines(
      'FROM base AS one',
      'RUN echo seen > /seen',
      'FROM base',
      'RUN --mount=type=bind,from=one,source=/seen,target=/mnt/seen cat /mnt/seen > /out',
    ),
  },
  {
    name: 'ONBUILD runs in the stage that is built on it, and is not in the image',
    dockerfile: lines(
      'FROM base AS parent',
      'ONBUILD ENV FROM_PARENT=1',
      'ONBUILD RUN echo triggered > /triggered',
      'FROM parent',
      'RUN cat /triggered > /out',
    ),
  },
  {
    name: 'ONBUILD is kept for others',
    dockerfile: lines('FROM base', 'ONBUILD RUN make', 'ONBUILD COPY . /src'),
  },
];
