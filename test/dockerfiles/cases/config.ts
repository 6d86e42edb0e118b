import { type DockerfileCase, lines } from '../case.ts';

/** What only changes the configuration, and WORKDIR. */
export const configCases: readonly DockerfileCase[] = [
  {
    name: 'WORKDIR: made, relative, owned by root',
    dockerfile: lines('FROM base', 'WORKDIR /new/a', 'WORKDIR b', 'WORKDIR ../c', 'RUN pwd > out'),
    quick: true,
  },
  {
    name: 'WORKDIR after USER',
    dockerfile: lines('FROM base', 'USER app', 'WORKDIR /home/app/work', 'RUN echo x > /tmp/x'),
  },
  {
    name: 'WORKDIR through a link',
    dockerfile: lines('FROM base', 'WORKDIR /link/below', 'RUN pwd > /out'),
  },
  {
    name: 'LABEL',
    dockerfile: lines(
      'FROM base',
      'LABEL a=b "c d"="e f" multi="one \\',
      'two"',
      "LABEL q='single $X' a=again",
    ),
  },
  {
    name: 'EXPOSE',
    dockerfile: lines('FROM base', 'EXPOSE 80', 'EXPOSE 443/tcp 53/udp 8000-8002'),
    differs: {
      what: ['config ExposedPorts'],
      why: 'a range is that many ports, as with Docker; buildah keeps the text',
    },
  },
  {
    name: 'VOLUME',
    dockerfile: lines('FROM base', 'VOLUME /v1 /v2', 'VOLUME ["/v 3"]'),
    differs: {
      what: ['v 3'],
      why: 'BuildKit makes no directory of a volume; buildah does for the JSON form',
    },
  },
  {
    name: 'VOLUME: what is written there afterwards',
    dockerfile: lines('FROM base', 'VOLUME /data', 'RUN echo kept > /data/later'),
    differs: {
      what: ['data/later'],
      why: 'BuildKit keeps what is written to a volume while building; buildah drops it, as Docker once did',
    },
  },
  { name: 'STOPSIGNAL', dockerfile: lines('FROM base', 'STOPSIGNAL SIGRTMIN+3') },
  {
    name: 'HEALTHCHECK',
    dockerfile: lines(
      'FROM base',
      'HEALTHCHECK --interval=1m30s --timeout=5s --start-period=2s --retries=4 CMD test -f /ok || exit 1',
    ),
  },
  { name: 'HEALTHCHECK NONE', dockerfile: lines('FROM base', 'HEALTHCHECK NONE') },
  {
    name: 'ENTRYPOINT takes the CMD of the base away',
    dockerfile: lines('FROM base AS one', 'CMD ["from", "base"]', 'FROM one', 'ENTRYPOINT ["/e"]'),
  },
  {
    name: 'CMD and ENTRYPOINT: the last one counts',
    dockerfile: lines('FROM base', 'CMD ["1"]', 'ENTRYPOINT ["e"]', 'CMD ["2", "$HOME"]'),
  },
  { name: 'USER', dockerfile: lines('FROM base', 'USER app:extra', 'USER 0') },
  {
    name: '--label',
    dockerfile: lines('FROM base', 'LABEL a=1 b=1'),
    flags: ['--label', 'b=2', '--label', 'c=x y'],
  },
  {
    name: '--squash',
    dockerfile: lines('FROM base', 'RUN echo 1 > /1 && rm /data/old', 'RUN echo 2 > /1', 'COPY a /data/'),
    context: 'echo a > a',
    flags: ['--squash'],
  },
];
