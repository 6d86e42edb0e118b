import type { Descriptor } from '@ocijs/image';

/** A document that says something of an image (in-toto attestation framework, `statement.md` v1). */
export interface Statement {
  readonly _type: 'https://in-toto.io/Statement/v1';
  readonly subject: readonly {
    readonly name: string;
    readonly digest: Readonly<Record<string, string>>;
  }[];
  readonly predicateType: string;
  readonly predicate: unknown;
}

export interface StatementOptions {
  /** Describes the manifest of one platform. */
  readonly subject: Descriptor;
  /** What the image is called; nothing is `_`. */
  readonly names?: readonly string[] | undefined;
  readonly predicateType: string;
  readonly predicate: unknown;
}

/** Makes a statement of one image. */
export function createStatement({
  subject,
  names = [],
  predicateType,
  predicate,
}: StatementOptions): Statement {
  const digest = digestSet(subject.digest);
  return {
    _type: 'https://in-toto.io/Statement/v1',
    subject: (names.length === 0 ? ['_'] : names).map((name) => ({ name, digest })),
    predicateType,
    predicate,
  };
}

/** `sha256:1234…` as in-toto writes it. */
export function digestSet(digest: string): Readonly<Record<string, string>> {
  const [algorithm = '', value = ''] = digest.includes(':') ? digest.split(':') : ['sha1', digest];
  return { [algorithm]: value };
}
