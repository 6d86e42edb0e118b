import { type DockerfileCase, lines } from '../case.ts';

/** RUN. */
export const runCases: readonly DockerfileCase[] = [
  {
    name: 'RUN: all kinds of files',
    dockerfile: lines(
      'FROM base',
      'RUN mkdir -m 1777 /k && echo a > /k/f && ln /k/f /k/hard && ln -s f /k/soft && mkfifo /k/fifo && chmod 6755 /k/f && chown 3:4 /k/soft -h',
    ),
    quick: true,
  },
  {
    name: 'RUN: removes, replaces, empties',
    dockerfile: lines(
      'FROM base',
      'RUN rm /data/old && rm -r /replaced && echo file > /replaced && rm -r /emptied && mkdir /emptied && echo n > /emptied/n',
    ),
    quick: true,
  },
  {
    name: 'RUN: modes and owners alone',
    dockerfile: lines('FROM base', 'RUN chmod 600 /data/old && chown 9:9 /data'),
  },
  {
    name: 'RUN: a file in several steps',
    dockerfile: lines(
      'FROM base',
      'RUN echo 1 > /f',
      'RUN echo 2 >> /f',
      'RUN mv /f /g',
      'RUN rm -f /g; echo 3 > /h',
    ),
  },
  {
    name: 'RUN: user, home, directory',
    dockerfile: lines(
      'FROM base',
      'USER app:extra',
      'WORKDIR /tmp',
      'RUN echo "$(id -u):$(id -g) $HOME $(pwd)" > /tmp/out',
    ),
    quick: true,
  },
  {
    name: 'RUN: a user by number that no database has',
    dockerfile: lines('FROM base', 'USER 4321', 'RUN echo "$(id -u) $HOME" > /tmp/out'),
  },
  {
    name: 'SHELL',
    dockerfile: lines('FROM base', 'SHELL ["/bin/sh", "-ec"]', 'RUN echo $0 > /out', 'CMD x y'),
    differs: {
      what: ['config Cmd'],
      why: 'the shell is for CMD as well (reference of Docker); buildah has its own there',
    },
  },
  {
    name: 'RUN --mount=type=bind of the context',
    context: 'mkdir src; echo a > src/a',
    dockerfile: lines('FROM base', 'RUN --mount=target=/ctx,source=src cp /ctx/a /out'),
  },
  {
    name: 'RUN --mount=type=bind,rw leaves nothing',
    context: 'echo a > a',
    dockerfile: lines(
      'FROM base',
      'RUN --mount=target=/mnt,rw echo x > /mnt/new && echo y > /mnt/a',
      'RUN --mount=target=/mnt cat /mnt/a > /out',
    ),
    differs: {
      what: ['mnt', 'out'],
      why: 'what is written to a bind mount is gone afterwards, and the directory below it is not; buildah changes the context on disk and removes the directory',
    },
  },
  {
    name: 'RUN --mount=type=cache',
    dockerfile: lines(
      'FROM base',
      'RUN --mount=type=cache,target=/var/cache/x,id=differential echo kept > /var/cache/x/f',
      'RUN --mount=type=cache,target=/mnt,id=differential cat /mnt/f > /out',
    ),
    differs: {
      what: ['mnt'],
      why: 'the directory below the mount is there afterwards; buildah 1.28 removes it from the image',
    },
  },
  {
    name: 'RUN --mount=type=tmpfs',
    dockerfile: lines(
      'FROM base',
      'RUN --mount=type=tmpfs,target=/data echo gone > /data/t && ls /data > /out',
    ),
    differs: {
      what: ['data', 'data/old'],
      why: 'what the mount hides is there afterwards; buildah 1.28 removes the directory from the image',
    },
  },
  {
    name: 'RUN --mount=type=secret',
    context: 'echo hidden > secret',
    flags: ['--secret', 'id=s,src=CONTEXT/secret'],
    dockerfile: lines(
      'FROM base',
      'RUN --mount=type=secret,id=s cat /run/secrets/s | wc -c > /out',
      'RUN ls /run > /run-after',
    ),
    quick: true,
    differs: {
      what: ['run-after', 'run/secrets'],
      why: 'the directory that the secret is mounted in is not in the image; buildah leaves it',
    },
  },
  {
    name: 'RUN --mount=type=secret: path, mode, owner',
    context: 'echo hidden > secret',
    flags: ['--secret', 'id=s,src=CONTEXT/secret'],
    dockerfile: lines(
      'FROM base',
      'RUN --mount=type=secret,id=s,target=/tmp/s,mode=0440,uid=7,gid=8 stat -c "%a %u %g" /tmp/s > /out',
    ),
    differs: {
      what: ['tmp/s'],
      why: 'what the secret is mounted on is not in the image; buildah leaves an empty file',
    },
  },
  {
    name: 'RUN --network=none',
    dockerfile: lines('FROM base', 'RUN --network=none ls /sys/class/net > /out'),
    unknown: 'a flag of RUN that came later',
    expect: { out: 'file 644 0:0 lo\n' },
  },
];
