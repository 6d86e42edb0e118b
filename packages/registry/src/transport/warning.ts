import { printable } from './redact.ts';

/** `299 - "text"`, with RFC 9110's quoted pairs; agent is always `-` in the distribution specification. */
const form =
  /^299 - "((?:[\t \u0021\u0023-\u005b\u005d-\u007e\u0080-\uffff]|\\[\t \u0021-\u007e\u0080-\uffff])*)"$/u;

/**
 * The text of a `Warning` header as registries send it (distribution-spec "Warnings"), or undefined when the
 * header has another form. Percent-encoded bytes are decoded, unless they would bring in quotes or control
 * characters.
 */
export function parseWarning(header: string): string | undefined {
  const quoted = form.exec(header)?.[1];
  if (quoted === undefined) return undefined;
  const text = quoted
    .replace(/\\(.)/gsu, '$1')
    .replace(/(?:%[0-9A-Fa-f]{2})+/g, (encoded) => decodeOr(encoded, encoded));
  const rest = withoutAllowedQuotes(text, quoted).replaceAll('\t', '');
  return /["\p{Cc}]/u.test(rest) ? undefined : text;
}

/** Quotes that were escaped in the header are fine; quotes that percent-encoding brought in are not. */
function withoutAllowedQuotes(text: string, quoted: string): string {
  const allowed = (quoted.match(/\\"/g) ?? []).length;
  let rest = text;
  for (let count = 0; count < allowed; count++) rest = rest.replace('"', '');
  return rest;
}

function decodeOr(encoded: string, fallback: string): string {
  try {
    return decodeURIComponent(encoded);
  } catch (error) {
    if (error instanceof URIError) return fallback;
    throw error;
  }
}

/** A warning for a person's terminal. */
export function warningText(header: string): string | undefined {
  const text = parseWarning(asUtf8(header));
  return text === undefined || text === '' ? undefined : printable(text);
}

/** Header bytes reach us one character each; most registries mean UTF-8. */
function asUtf8(header: string): string {
  const text = Buffer.from(header, 'latin1').toString('utf8');
  return text.includes('\ufffd') ? header : text;
}
