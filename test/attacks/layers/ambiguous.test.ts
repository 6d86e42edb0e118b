import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createLayout, digestBytes, MediaType, validateImage } from '@ocijs/image';
import { oci, ociHome } from '../../kit/oci.ts';
import { temporaryDirectory } from '../../kit/temporary.ts';
import { directory, file, tarOf } from './arena.ts';
import { block, end, globalPax, octal, padded, pax, record } from './blocks.ts';

const entry = (name: string): Buffer => Buffer.concat([block(name, { size: octal(1) }), padded('x')]);
const gnu = (type: 'L' | 'K', text: string): Buffer =>
  Buffer.concat([
    block('x', { type, size: octal(text.length + 1), magic: 'ustar  \0' }),
    padded(`${text}\0`),
  ]);

interface Ambiguous {
  readonly tar: Buffer | Promise<Buffer>;
  /** What is said of it. */
  readonly said: RegExp;
}

const cases: Readonly<Record<string, Ambiguous>> = {
  'a size in pax, another one in the header, and an entry in between': {
    tar: Buffer.concat([pax(record('size', '1024')), block('seen', {}), entry('hidden'), end]),
    said: /"seen" has 1024 bytes by its pax header and 0 by its header block/,
  },
  'a GNU long name and a pax path': {
    tar: Buffer.concat([gnu('L', 'one'), pax(record('path', 'two')), entry('x'), end]),
    said: /another name in its pax header/,
  },
  'a GNU long link and a pax link': {
    tar: Buffer.concat([
      gnu('K', 'one'),
      pax(record('linkpath', 'two')),
      block('x', { type: '2', linkname: 'z' }),
      end,
    ]),
    said: /another target in its pax header/,
  },
  'two pax headers for one entry': {
    tar: Buffer.concat([pax(record('path', 'one')), pax(record('path', 'two')), entry('x'), end]),
    said: /two pax headers/,
  },
  'two GNU long names for one entry': {
    tar: Buffer.concat([gnu('L', 'one'), gnu('L', 'two'), entry('x'), end]),
    said: /two GNU long names/,
  },
  'a record twice': {
    tar: Buffer.concat([pax(record('path', 'one'), record('path', 'two')), entry('x'), end]),
    said: /several values for "path"/,
  },
  'a global header that renames': {
    tar: Buffer.concat([globalPax(record('path', 'two')), entry('x'), end]),
    said: /global pax header has a value for "path"/,
  },
  'a directory with content, which may be an entry': {
    tar: Buffer.concat([block('d/', { type: '5', size: octal(1024) }), entry('hidden'), end]),
    said: /"d\/" is no file and has 1024 bytes/,
  },
  'a file twice': {
    tar: tarOf([file('bin/app', 'good'), file('./bin//app', 'bad')]),
    said: /bin\/\/app" is in it twice/,
  },
  'a file in the place of a directory': {
    tar: tarOf([directory('d/'), file('d')]),
    said: /"d" is in it twice/,
  },
  'entries behind the end marker': {
    tar: Buffer.concat([entry('first'), end, entry('behind'), end]),
    said: /something follows its end marker/,
  },
};

/** Archives as tools write them, which say one thing. */
const plain: Readonly<Record<string, Buffer | Promise<Buffer>>> = {
  'of ours': tarOf([directory('d/'), directory('d/'), file(`d/${'long'.repeat(60)}`), file('D')]),
  'with a pax size where the header has no digits for it': Buffer.concat([
    pax(record('size', '1')),
    entry('x'),
    end,
  ]),
  'with the same in GNU and pax': Buffer.concat([
    gnu('L', 'one'),
    pax(record('path', 'one')),
    entry('x'),
    end,
  ]),
  'of git, with a comment for all': Buffer.concat([globalPax(record('comment', 'abc')), entry('x'), end]),
  'padded with zeros': Buffer.concat([entry('x'), end, Buffer.alloc(9 * 1024)]),
};

async function layoutOf(path: string, tar: Buffer): Promise<ReturnType<typeof validateImage>> {
  await using store = await createLayout(path);
  const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
  const layer = await store.put(tar, { mediaType: MediaType.layer });
  const architecture = process.arch === 'arm64' ? 'arm64' : 'amd64';
  const rootfs = { type: 'layers', diff_ids: [digestBytes(tar)] };
  const config = await store.put(json({ os: 'linux', architecture, rootfs }), {
    mediaType: MediaType.config,
  });
  const { manifest: mediaType } = MediaType;
  const bytes = json({ schemaVersion: 2, mediaType, config, layers: [layer] });
  const descriptor = await store.put(bytes, { mediaType });
  await store.tag('app', descriptor);
  return validateImage(await store.image(descriptor));
}

describe('attack 15: archives that readers see differently are told by oci validate', () => {
  for (const [name, { tar, said }] of Object.entries(cases)) {
    test(name, async () => {
      await using place = await temporaryDirectory();
      const found = await layoutOf(`${place.path}/layout`, await tar);
      assert.deepEqual(
        found.map(({ code, jsonPath }) => [code, jsonPath]),
        [['ERR_OCI_TAR_AMBIGUOUS', '$.layers[0]']],
      );
      assert.match(found[0]?.message ?? '', said);
    });
  }

  for (const [name, tar] of Object.entries(plain)) {
    test(`not an archive ${name}`, async () => {
      await using place = await temporaryDirectory();
      assert.deepEqual(await layoutOf(`${place.path}/layout`, await tar), []);
    });
  }

  test('the command fails, and says where', async () => {
    await using place = await temporaryDirectory();
    const layout = `${place.path}/layout`;
    await layoutOf(layout, await tarOf([file('twice'), file('twice')]));
    const result = await oci(ociHome(place.path), ['validate', '--json', `oci:${layout}:app`]);
    assert.equal(result.status, 1);
    const { violations } = JSON.parse(result.stdout);
    assert.equal(violations[0].code, 'ERR_OCI_TAR_AMBIGUOUS');
  });
});
