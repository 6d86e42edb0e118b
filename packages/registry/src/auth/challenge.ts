/** One challenge of a `WWW-Authenticate` header. */
export interface Challenge {
  readonly scheme: 'basic' | 'bearer';
  /** By lower-case name. */
  readonly parameters: ReadonlyMap<string, string>;
}

type Token = { readonly kind: 'word'; readonly text: string } | { readonly kind: ',' | '=' | ' ' };

/**
 * Reads `WWW-Authenticate` values (RFC 9110 section 11.6.1): several challenges in one value, in several
 * values, quoted or not. Challenges of other schemes are left out, and so is everything from the first place
 * on that cannot be read.
 */
export function parseChallenges(values: readonly string[]): readonly Challenge[] {
  return values.flatMap((value) => readChallenges(tokenize(value)));
}

function readChallenges(tokens: readonly Token[]): Challenge[] {
  const found: { scheme: string; parameters: Map<string, string> }[] = [];
  let position = 0;
  const skip = (...kinds: string[]): void => {
    while (kinds.includes(tokens[position]?.kind ?? 'end')) position++;
  };
  const word = (): string | undefined => {
    const token = tokens[position];
    if (token?.kind !== 'word') return undefined;
    position++;
    return token.text;
  };
  let expectsSeparator = false;
  for (;;) {
    const before = position;
    skip(',', ' ');
    const separated = tokens.slice(before, position).some((token) => token.kind === ',');
    const name = word();
    if (name === undefined) break;
    skip(' ');
    if (tokens[position]?.kind !== '=') {
      found.push({ scheme: name.toLowerCase(), parameters: new Map() });
      expectsSeparator = false;
      continue;
    }
    position++;
    skip(' ');
    const value = word();
    // Two parameters without a comma between them: which of them is meant is anybody's guess.
    if (expectsSeparator && !separated) {
      found.pop();
      break;
    }
    if (value === undefined) {
      // A name without a value, or the padding of a token68 of a scheme that we do not speak.
      skip('=', ' ');
      continue;
    }
    const parameters = found.at(-1)?.parameters;
    if (parameters === undefined) break;
    if (!parameters.has(name.toLowerCase())) parameters.set(name.toLowerCase(), value);
    expectsSeparator = true;
  }
  return found.flatMap(({ scheme, parameters }) =>
    scheme === 'basic' || scheme === 'bearer' ? [{ scheme, parameters }] : [],
  );
}

const tokenForm = /"((?:[^"\\]|\\.)*)"|(,)|(=)|([ \t]+)|([^",= \t]+)/suy;

function tokenize(value: string): Token[] {
  const tokens: Token[] = [];
  tokenForm.lastIndex = 0;
  for (let match = tokenForm.exec(value); match !== null; match = tokenForm.exec(value)) {
    const [, quoted, comma, equals, space, plain] = match;
    if (quoted !== undefined) tokens.push({ kind: 'word', text: quoted.replace(/\\(.)/gsu, '$1') });
    else if (plain !== undefined) tokens.push({ kind: 'word', text: plain });
    else if (comma !== undefined) tokens.push({ kind: ',' });
    else if (equals !== undefined) tokens.push({ kind: '=' });
    else if (space !== undefined) tokens.push({ kind: ' ' });
  }
  return tokens;
}
