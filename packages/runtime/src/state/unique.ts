let last = 0;

/**
 * A name for a temporary file that no other process, and no other call, has at the same time. It needs no secret: the
 * files are made exclusively, and node:crypto alone takes longer to load than most commands take.
 */
export function uniqueName(): string {
  last += 1;
  return `${process.pid.toString(36)}-${process.hrtime.bigint().toString(36)}-${last}`;
}
