import { type DockerfileCase, lines } from '../case.ts';

const archive =
  'mkdir -p t/d; echo f > t/d/f; chmod 640 t/d/f; ln -s f t/d/l; chown -R 5:6 t; tar -czf a.tgz -C t .; tar -cf a.tar -C t d';

/** ADD. */
export const addCases: readonly DockerfileCase[] = [
  {
    name: 'ADD: files as COPY does',
    context: 'echo a > a; mkdir d; echo b > d/b',
    dockerfile: lines('FROM scratch', 'ADD a d /x/'),
  },
  {
    name: 'ADD: unpacks archives',
    context: archive,
    dockerfile: lines('FROM scratch', 'ADD a.tgz /gz', 'ADD a.tar /tar/'),
    differs: {
      what: ['gz'],
      why: 'the entry ./ of the archive does not change the destination, as with Docker; buildah gives it its owner',
    },
    quick: true,
  },
  {
    name: 'ADD: an archive over files of the image',
    context: 'mkdir -p t/data; echo new > t/data/old; tar -cJf a.txz -C t .',
    dockerfile: lines('FROM base', 'ADD a.txz /'),
  },
  {
    name: 'ADD --chown of an archive',
    context: archive,
    dockerfile: lines('FROM scratch', 'ADD --chown=9:10 a.tar /t/'),
    differs: {
      what: ['t/d', 't/d/f', 't/d/l'],
      why: 'BuildKit gives what it unpacks to the new owner since 0.23 (moby/buildkit#1547); buildah 1.28 does not',
    },
  },
  {
    name: 'ADD: a compressed file that is no archive',
    context: 'echo text | gzip -n > f.gz',
    dockerfile: lines('FROM scratch', 'ADD f.gz /'),
  },
  {
    name: 'ADD: a file from a server',
    dockerfile: lines('FROM scratch', 'ADD SERVER/dir/file.txt /d/', 'ADD SERVER/dir/other /named'),
  },
  {
    name: 'ADD --checksum',
    dockerfile: lines(
      'FROM scratch',
      'ADD --checksum=sha256:fcaab203d407261059616685ca7c34a39288c0df52d4a1a639df6ce0f585001b SERVER/x /x',
    ),
    unknown: '--checksum came later',
    expect: { x: 'file 600 0:0 content of /x\n' },
  },
  {
    name: 'ADD --unpack=false, and true for a file from a server',
    context: archive,
    dockerfile: lines('FROM scratch', 'ADD --unpack=false a.tar /d/'),
    unknown: '--unpack came later',
    expect: { 'd/a.tar': 'file 644 0:0' },
  },
];
