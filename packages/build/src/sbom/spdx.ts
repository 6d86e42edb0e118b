import { createHash } from 'node:crypto';
import type { Descriptor } from '@ocijs/image';
import type { FoundPackage } from './package.ts';

export interface SpdxOptions {
  readonly packages: readonly FoundPackage[];
  /** What the image is called. */
  readonly name: string;
  /** Describes the manifest. */
  readonly subject: Descriptor;
  /** When the image was created: the document has no time of its own. */
  readonly created: string;
  /** `ID` and `VERSION_ID` of the image's `os-release`. */
  readonly distribution: { readonly id: string; readonly version: string };
}

/**
 * A list of packages as an SPDX document in JSON. The same image gives the same document.
 *
 * @see https://spdx.github.io/spdx-spec/v2.3/
 */
export function spdxDocument({ packages, name, subject, created, distribution }: SpdxOptions): object {
  const image = {
    SPDXID: 'SPDXRef-Image',
    name,
    versionInfo: subject.digest,
    downloadLocation: 'NOASSERTION',
    filesAnalyzed: false,
    primaryPackagePurpose: 'CONTAINER',
  };
  const described = packages.map((found) => describePackage(found, distribution));
  return {
    spdxVersion: 'SPDX-2.3',
    dataLicense: 'CC0-1.0',
    SPDXID: 'SPDXRef-DOCUMENT',
    name,
    documentNamespace: `urn:uuid:${uuidOf(subject.digest)}`,
    creationInfo: { created: created.replace(/\.\d+Z$/, 'Z'), creators: ['Tool: oci-build'] },
    packages: [image, ...described],
    relationships: [
      relationship('SPDXRef-DOCUMENT', 'DESCRIBES', image.SPDXID),
      ...described.map(({ SPDXID }) => relationship(image.SPDXID, 'CONTAINS', SPDXID)),
    ],
  };
}

function describePackage(found: FoundPackage, distribution: SpdxOptions['distribution']) {
  const { type, name, version, license, source, location } = found;
  const url = packageUrl(found, distribution);
  const id = createHash('sha256').update(`${url}\0${location}`).digest('hex').slice(0, 16);
  return {
    SPDXID: `SPDXRef-Package-${type}-${name.replace(/[^A-Za-z0-9.-]+/g, '-')}-${id}`,
    name,
    versionInfo: version,
    downloadLocation: 'NOASSERTION',
    filesAnalyzed: false,
    ...(source === undefined
      ? { sourceInfo: `found in /${location}` }
      : { sourceInfo: `built from ${source}; found in /${location}` }),
    licenseDeclared: isExpression(license) ? license : 'NOASSERTION',
    licenseConcluded: 'NOASSERTION',
    copyrightText: 'NOASSERTION',
    externalRefs: [{ referenceCategory: 'PACKAGE-MANAGER', referenceType: 'purl', referenceLocator: url }],
  };
}

function relationship(from: string, relationshipType: string, to: string): object {
  return { spdxElementId: from, relationshipType, relatedSpdxElement: to };
}

/** What is no expression of SPDX cannot stand where one is expected. */
function isExpression(license: string | undefined): license is string {
  return (
    license !== undefined &&
    /^\(*[A-Za-z][A-Za-z0-9.+-]*\)*(?: (?:AND|OR|WITH) \(*[A-Za-z][A-Za-z0-9.+-]*\)*)*$/.test(license)
  );
}

/** The name of a package that every tool knows it by (package-url specification). */
function packageUrl(
  { type, name, version, architecture }: FoundPackage,
  { id, version: release }: SpdxOptions['distribution'],
): string {
  const encoded = (text: string): string => encodeURIComponent(text).replaceAll('%3A', ':');
  const path = name.split('/').map(encodeURIComponent).join('/');
  if (type === 'npm') return `pkg:npm/${path}@${encoded(version)}`;
  const qualifiers = [
    ...(architecture === undefined ? [] : [`arch=${encoded(architecture)}`]),
    ...(id === '' ? [] : [`distro=${encoded(release === '' ? id : `${id}-${release}`)}`]),
  ];
  const query = qualifiers.length === 0 ? '' : `?${qualifiers.join('&')}`;
  return `pkg:${type}/${id === '' ? '' : `${encoded(id)}/`}${path}@${encoded(version)}${query}`;
}

function uuidOf(digest: string): string {
  const hex = createHash('sha256').update(`sbom of ${digest}`).digest('hex');
  // Version 8: whatever the maker wants.
  const parts = [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`];
  return [...parts, hex.slice(20, 32)].join('-');
}
