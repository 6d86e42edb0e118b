import { rmSync } from 'node:fs';
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { output } from '../kit/command.ts';
import { mirror } from '../kit/debian-image.ts';
import { ociProgram } from '../kit/oci.ts';
import { missing } from '../kit/requirements.ts';
import type { Comparison, Contender } from './measure.ts';

/** What was built before: nothing, the same, or all but one source file. */
type Before = 'cold' | 'warm' | 'changed';

const titles: Readonly<Record<Before, string>> = {
  cold: 'build: ten steps in three stages over a Debian with gcc, nothing cached',
  warm: 'the same build again, everything cached',
  changed: 'the same build after one source file has changed',
};

/** Building from a Dockerfile: buildah, which keeps layers uncompressed and has no runtime to start (`--isolation chroot`), and this project. */
export function buildComparison(before: Before): (directory: string) => Promise<Comparison | string> {
  return async () => {
    const reason = missing({ root: true, commands: ['debootstrap', 'buildah', 'tar'] });
    if (reason) return reason;
    fixture ??= prepare();
    const { context, buildah, oci } = await fixture;
    let changes = 0;
    const change = async (): Promise<void> =>
      writeFile(join(context, 'src/main.c'), `${program}/* ${process.pid} ${changes++} */\n`);
    const contender = (
      name: string,
      build: (...flags: readonly string[]) => Promise<unknown>,
    ): Contender => ({
      name,
      prepare: before === 'changed' ? change : async () => undefined,
      run: async () => void (await build(...(before === 'cold' ? ['--no-cache'] : []))),
    });
    return {
      title: titles[before],
      contenders: [contender('buildah build --layers', buildah), contender('oci build', oci)],
    };
  };
}

interface Fixture {
  readonly context: string;
  buildah(...flags: readonly string[]): Promise<unknown>;
  oci(...flags: readonly string[]): Promise<unknown>;
}

let fixture: Promise<Fixture> | undefined;

async function prepare(): Promise<Fixture> {
  const directory = await mkdtemp(join(tmpdir(), 'ocijs-bench-build-'));
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }));
  const rootfs = join(directory, 'debian');
  const packages = '--include=gcc,libc6-dev';
  const debootstrap = ['--variant=minbase', packages, 'bookworm', rootfs, ...(await mirror())];
  await output('debootstrap', debootstrap, { timeoutMs: 900_000 });
  const [base, context] = [join(directory, 'base'), join(directory, 'context')] as const;
  for (const each of [base, join(context, 'src'), join(context, 'assets')])
    await mkdir(each, { recursive: true });
  const tar = ['--numeric-owner', '--sort=name', '-C', rootfs, '-cf', join(base, 'base.tar'), '.'];
  await output('tar', tar);
  await writeFile(join(base, 'Dockerfile'), 'FROM scratch\nADD base.tar /\nCMD ["/bin/bash"]\n');
  await writeFile(join(context, 'Dockerfile'), steps);
  await writeFile(join(context, 'src/main.c'), program);
  await writeFile(join(context, 'src/util.c'), 'int util(int x) { return x * x; }\n');
  for (let index = 0; index < assets; index++)
    await writeFile(join(context, `assets/${index}.txt`), `asset ${index}\n`);
  const places = ['--root', join(directory, 'storage'), '--runroot', join(directory, 'run')];
  const store = ['--store', join(directory, 'store')];
  const limit = { timeoutMs: 900_000 };
  const oci = (...args: readonly string[]) =>
    output(process.execPath, [ociProgram, 'build', ...store, ...args], limit);
  const buildah = (...args: readonly string[]) =>
    output('buildah', [...places, 'build', '--layers', '--isolation', 'chroot', ...args], limit);
  await oci('-t', 'localhost/base', base);
  await buildah('-t', 'localhost/base', base);
  return {
    context,
    oci: (...flags) => oci('-t', 'localhost/app', ...flags, context),
    buildah: (...flags) => buildah('-t', 'localhost/app', ...flags, context),
  };
}

const assets = 300;

const program = `#include <stdio.h>
int util(int);
int main(void) { printf("%d\\n", util(4)); return 0; }
`;

/** Storms of files as a package manager makes them, a removal of many, a compilation, copies between stages. */
const steps = `FROM localhost/base AS tools
RUN mkdir -p /usr/share/storm && cp -a /usr/share/zoneinfo /usr/share/doc /usr/share/storm/
RUN cp -a /usr/lib/*-linux-gnu/perl-base /opt/perl && find /opt/perl -name '*.pm' -size -2k -delete
RUN rm -rf /usr/share/man /usr/share/locale
FROM tools AS compile
WORKDIR /src
COPY src .
RUN for i in 1 2 3 4 5 6; do sed "s/util/util$i/" util.c > gen$i.c && gcc -O2 -c gen$i.c; done
RUN gcc -O2 -o /usr/local/bin/app main.c util.c && strip /usr/local/bin/app
FROM localhost/base
COPY assets /srv/assets
RUN useradd -r app
COPY --from=tools /usr/share/storm /usr/share/storm
COPY --from=compile /usr/local/bin/app /usr/local/bin/app
CMD ["/usr/local/bin/app"]
`;
