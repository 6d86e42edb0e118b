import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { missing } from '../kit/requirements.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../kit/temporary.ts';
import { blocksOf } from './blocks.ts';
import { inNetwork, networksMissing } from './network.ts';
import { pages, readPage, root } from './pages.ts';
import { openPlace, type Place } from './place.ts';

const skip = missing({ root: true, commands: ['busybox', 'bash'] });
const bundle = 'oci unpack debian:bookworm bundle';

/** What a reader of a page has done before the programs. */
const prepared: Readonly<Record<string, string>> = {
  'docs/guides/networking.md': bundle,
  'docs/guides/sign-and-verify.md': 'oci generate-key-pair',
  'docs/guides/store.md': 'oci pull debian:bookworm',
  'packages/build/README.md': 'oci pull busybox\nmkdir src\ntouch src/a',
  'packages/bundle/README.md': 'oci pull debian:bookworm',
  'packages/linux/README.md': 'oci unpack --rootfs-only debian:bookworm rootfs',
  'packages/runtime/README.md': bundle,
};

/** What the programs of docs/api.md print, by their headings. */
const printed: Readonly<Record<string, RegExp>> = {
  'Make an image, and look into it': /^true \[ '\/greeting' \] library\/hello$/,
  'Send it to a registry, and fetch it': /^\[ 'fetched', .*\]$/,
  'Stop when you have waited long enough': /^TimeoutError$/,
  'Unpack it': /^hello\n 1\.\d/,
  'Run it': /^PRETTY_NAME=.*\n\{ exitCode: 0 \}$/,
  'Keep it running': /^running \/ 0\nstopped 137$/,
  'Compile a seccomp profile': /^\d+ bytes, unknown: \[\]$/,
  'Build it': /^\[ 'cat', '\/app\/hello.txt' \] sha256:\S+$/,
  'Read a Dockerfile': /^node:24 \[ 'workdir', 'run', 'maintainer' \]\nline 4: MaintainerDeprecated$/,
  'Call the kernel': /^true is the one in the rootfs\nopenat2 ELOOP$/,
};

for (const page of pages) {
  const programs = (['js', 'ts'] as const).flatMap((language) =>
    blocksOf(readPage(page), language).map((block) => ({ ...block, language })),
  );
  if (programs.length === 0) continue;
  describe(`the programs of ${page}`, { skip, timeout: 300_000 }, () => {
    let temporary: TemporaryDirectory;
    let place: Place;
    before(async () => {
      temporary = await temporaryDirectory();
      place = await openPlace(temporary.path);
      await works(`ln -s '${root}node_modules' node_modules\n${prepared[page] ?? ''}`);
    });
    after(async () => {
      await place?.[Symbol.asyncDispose]();
      await temporary?.[Symbol.asyncDispose]();
    });

    async function works(lines: string): Promise<string> {
      const { status, stdout, stderr } = await place.run(lines, { hasTerminal: false });
      assert.equal(status, 0, stderr + stdout);
      return stdout;
    }

    let above = '';
    for (const { line, text, language } of programs) {
      // What a program on this page goes on with is in the one above.
      const program = page.includes('test-against-a-registry') ? `${above}\n${text}` : text;
      above = program;
      test(`from line ${line}`, { skip: page.includes('networking') && networksMissing() }, async () => {
        const file = `program.m${language}`;
        const node = `node --conditions=source ${file}`;
        const run = page.includes('networking') ? inNetwork(node) : node;
        // Each program of that page makes a bundle of its own.
        if (page === 'docs/api.md') await works('rm -rf bundle');
        const stdout = await works(`cat >${file} <<'END_OF_PROGRAM'\n${program}\nEND_OF_PROGRAM\n${run}`);
        if (page !== 'docs/api.md') return;
        const heading = headingOf(page, line);
        assert.match(stdout.trimEnd(), printed[heading] ?? assert.fail(`${heading}: ${stdout}`));
      });
    }
  });
}

function headingOf(page: string, line: number): string {
  const lines = readPage(page).split('\n').slice(0, line);
  return lines.findLast((each) => each.startsWith('## '))?.slice(3) ?? '';
}
