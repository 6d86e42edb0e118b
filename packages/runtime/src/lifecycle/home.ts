import { type Process, readFileInRoot } from '@ocijs/bundle/spec';
import { userDatabaseSizeLimit } from '../limits.ts';

/** The sixth field of the user's line. */
function homeOf(passwd: string, uid: number): string | undefined {
  for (const line of passwd.split('\n')) {
    const fields = line.split(':');
    if (fields[2] !== undefined && /^\d+$/.test(fields[2]) && Number(fields[2]) === uid) return fields[5];
  }
  return undefined;
}

/**
 * The process with a home directory in its environment: what it has, if that is not empty, else what the root file system's `/etc/passwd`
 * says, else `/`. Throws ERR_OCI_UNPACK_DENIED when that file is none inside the root.
 */
export function withHome(process: Process, rootfs: string): Process {
  const given = process.env ?? [];
  if (given.findLast((variable) => variable.startsWith('HOME='))?.slice(5)) return process;
  const env = given.filter((variable) => !variable.startsWith('HOME='));
  const passwd = readFileInRoot(rootfs, '/etc/passwd', { limit: userDatabaseSizeLimit })?.toString('utf8');
  return { ...process, env: [...env, `HOME=${homeOf(passwd ?? '', process.user.uid) || '/'}`] };
}
