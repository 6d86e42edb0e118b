/** The file of the lease that a process holds; a token has colons, which not every file system takes. */
export function leaseFileName(token: string): string {
  return token.replaceAll(':', '-');
}

/** The token in a lease's file name; undefined for a file that is no lease. */
export function leaseToken(name: string): string | undefined {
  return /^ocijs-[0-9a-f]{16}-[1-9][0-9]{0,9}-[0-9]+-[0-9a-f]{16}$/.test(name)
    ? name.replaceAll('-', ':')
    : undefined;
}
