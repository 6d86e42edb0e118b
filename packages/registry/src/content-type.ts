/**
 * The media type of a `Content-Type` header, without parameters and in lower case; undefined when there is
 * none.
 */
export function mediaTypeOf(header: string | undefined): string | undefined {
  const type = (header ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
  return /^[a-z0-9!#$&^_.+-]+\/[a-z0-9!#$&^_.+-]+$/.test(type) ? type : undefined;
}
