/** A reference taken apart, before any part is checked or completed. */
export interface ReferenceParts {
  readonly name: string;
  readonly tag: string | undefined;
  readonly digest: string | undefined;
}

/** A name with its registry, where it has one. */
export interface NameParts {
  readonly domain: string | undefined;
  readonly path: string;
}

const host = '[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?';
const domainGrammar = new RegExp(String.raw`^(?:${host}(?:\.${host})*|\[[A-Fa-f0-9:]+\])(?::[0-9]+)?$`);
const componentGrammar = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
const tagGrammar = /^\w[\w.-]{0,127}$/;

/** True for `host[:port]` or `[IPv6][:port]`. */
export function isDomain(text: string): boolean {
  return domainGrammar.test(text);
}

/** True for the path of a repository: lower-case components between slashes. */
export function isRepositoryPath(text: string): boolean {
  return text.split('/').every((component) => componentGrammar.test(component));
}

/** True for a tag: at most 128 letters, digits, `_`, `.` and `-`, the first of them not `.` or `-`. */
export function isTag(text: string): boolean {
  return tagGrammar.test(text);
}

/** Cuts `name[:tag][@digest]` at its separators. A colon before the last slash belongs to the registry. */
export function splitReference(text: string): ReferenceParts {
  const at = text.indexOf('@');
  const front = at < 0 ? text : text.slice(0, at);
  const digest = at < 0 ? undefined : text.slice(at + 1);
  const colon = front.indexOf(':', front.lastIndexOf('/') + 1);
  return colon < 0
    ? { name: front, tag: undefined, digest }
    : { name: front.slice(0, colon), tag: front.slice(colon + 1), digest };
}

/** Cuts a name as the grammar alone does: what stands before the first slash is the registry. */
export function splitName(name: string): NameParts {
  const slash = name.indexOf('/');
  if (slash < 0) return { domain: undefined, path: name };
  const domain = name.slice(0, slash);
  return isDomain(domain) ? { domain, path: name.slice(slash + 1) } : { domain: undefined, path: name };
}

/**
 * Cuts a name as people mean it: what stands before the first slash is the registry when it has a dot, a colon or an
 * upper-case letter, or is `localhost`; otherwise it is a part of a repository on Docker Hub.
 */
export function splitFamiliarName(name: string): NameParts {
  const slash = name.indexOf('/');
  const first = name.slice(0, Math.max(slash, 0));
  return slash >= 0 && (/[.:A-Z]/.test(first) || first === 'localhost')
    ? { domain: first, path: name.slice(slash + 1) }
    : { domain: undefined, path: name };
}
