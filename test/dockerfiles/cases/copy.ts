import { type DockerfileCase, lines } from '../case.ts';

const files =
  'mkdir -p d/sub d/empty; echo a > a; echo b > b; echo s > d/sub/s; echo .h > d/.h; chmod 750 d/sub; chmod 4711 b';

/** COPY. */
export const copyCases: readonly DockerfileCase[] = [
  { name: 'COPY: a file to a name', context: files, dockerfile: lines('FROM scratch', 'COPY a /x/y/z') },
  {
    name: 'COPY: modes and empty directories',
    context: files,
    dockerfile: lines('FROM base', 'COPY . /all'),
    differs: {
      what: ['all/b'],
      why: 'set-id bits of the context are kept, as BuildKit does; buildah takes them away',
    },
    quick: true,
  },
  {
    name: 'COPY: into a directory',
    context: files,
    dockerfile: lines('FROM base', 'COPY a b /data/'),
    differs: {
      what: ['data/b'],
      why: 'set-id bits of the context are kept, as BuildKit does; buildah takes them away',
    },
  },
  { name: 'COPY: what a directory holds', context: files, dockerfile: lines('FROM base', 'COPY d /data') },
  {
    name: 'COPY: patterns',
    context: 'echo 1 > f1.txt; echo 2 > f2.txt; echo 3 > g.md; mkdir x; echo 4 > x/f3.txt',
    dockerfile: lines('FROM base', 'COPY f?.txt x/* [g].md /m/'),
  },
  {
    name: 'COPY: names with spaces, JSON form',
    context: "echo a > 'a b'; mkdir 'c d'; echo e > 'c d/e'",
    dockerfile: lines('FROM scratch', 'COPY ["a b", "c d/e", "/t t/"]'),
  },
  {
    name: 'COPY: destinations relative to WORKDIR',
    context: files,
    dockerfile: lines('FROM base', 'WORKDIR /w', 'COPY a .', 'COPY a rel/', 'COPY a ./named'),
  },
  {
    name: 'COPY: over a file, and into a directory that is there',
    context: 'mkdir -p t/data; echo new > t/data/old; echo more > t/data/more; chmod 600 t/data/old',
    dockerfile: lines('FROM base', 'COPY t /'),
  },
  {
    name: 'COPY: through a link of the image',
    context: files,
    dockerfile: lines('FROM base', 'COPY a /link/a', 'COPY d /link'),
  },
  {
    name: 'COPY: links of the context',
    context:
      'echo a > a; ln -s a l; mkdir d; ln -s ../a d/l; ln -s /etc/passwd d/abs; ln -s missing d/dangling',
    dockerfile: lines('FROM base', 'COPY l /copied', 'COPY d /d'),
  },
  {
    name: 'COPY: hard links',
    context: 'mkdir d; echo a > d/a; ln d/a d/b',
    dockerfile: lines('FROM scratch', 'COPY d /d'),
  },
  {
    name: 'COPY --chown: numbers and names',
    context: files,
    dockerfile: lines(
      'FROM base',
      'COPY --chown=12:34 a /n',
      'COPY --chown=app a /u',
      'COPY --chown=app:extra d /ug',
      'COPY --chown=55 a /one',
    ),
  },
  {
    name: 'COPY --chmod: octal',
    context: files,
    dockerfile: lines('FROM base', 'COPY --chmod=0604 a /f', 'COPY --chmod=705 d /d'),
  },
  {
    name: 'COPY --chmod: letters',
    context: files,
    dockerfile: lines('FROM base', 'COPY --chmod=u=rwX,go=rX d /d', 'COPY --chmod=+x a /x'),
    unknown: '1.28 takes octal modes alone',
    expect: { 'd/sub': 'directory 755 0:0', 'd/sub/s': 'file 644 0:0 s\n', x: 'file 755 0:0 a\n' },
  },
  {
    name: 'COPY --from keeps owners',
    dockerfile: lines(
      'FROM base AS one',
      'RUN mkdir /o && echo x > /o/x && chown -R 7:8 /o && chmod 2750 /o',
      'FROM base',
      'COPY --from=one /o /kept',
      'COPY --from=one --chown=1:2 /o/x /changed',
    ),
  },
  {
    name: 'COPY --link',
    context: files,
    dockerfile: lines('FROM base', 'COPY --link a /data/linked', 'COPY --link d /new/d'),
    unknown: '--link came with 1.39',
    expect: { 'data/linked': 'file 644 0:0 a\n', 'new/d/sub/s': 'file 644 0:0 s\n' },
  },
  {
    name: 'COPY --parents',
    context: 'mkdir -p x/y/z; echo 1 > x/y/z/f; echo 2 > x/g',
    dockerfile: lines('FROM scratch', 'COPY --parents x/y/z/f x/g /p/', 'COPY --parents x/./y/z /q/'),
    unknown: '--parents came with 1.38',
    expect: { 'p/x/y/z/f': 'file 644 0:0 1\n', 'p/x/g': 'file 644 0:0 2\n', 'q/y/z/f': 'file 644 0:0 1\n' },
  },
  {
    name: 'COPY --exclude',
    context: 'mkdir -p d/sub; echo 1 > d/a.md; echo 2 > d/a.txt; echo 3 > d/sub/b.md',
    dockerfile: lines('FROM scratch', 'COPY --exclude=**/*.md --exclude=none d /d/'),
    unknown: '--exclude came with 1.38',
    expect: { 'd/a.txt': 'file 644 0:0 2\n' },
  },
  {
    name: '.dockerignore: patterns and exceptions',
    context:
      'mkdir -p node_modules/x src/deep; echo 1 > node_modules/x/f; echo 2 > src/a.js; echo 3 > src/deep/b.log; echo 4 > keep.log; echo 5 > drop.log; printf "node_modules\\n*.log\\n**/*.log\\n!keep.log\\n# comment\\n/Dockerfile\\n.dockerignore\\n" > .dockerignore',
    dockerfile: lines('FROM scratch', 'COPY . /all/'),
    quick: true,
  },
  {
    name: '.dockerignore: everything but',
    context:
      'mkdir -p a/b c; echo 1 > a/b/f; echo 2 > a/g; echo 3 > c/h; printf "*\\n!a/b\\n" > .dockerignore',
    dockerfile: lines('FROM scratch', 'COPY . /all/'),
  },
];
