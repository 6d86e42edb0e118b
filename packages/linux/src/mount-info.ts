/** One line of `/proc/PID/mountinfo` (proc_pid_mountinfo(5)). */
export interface MountInfo {
  /** Where the file system is mounted, as the process sees it. */
  readonly mountPoint: string;
  /** Which directory of the file system is mounted there. */
  readonly root: string;
  /** Such as `ext4` or `cgroup2`. */
  readonly type: string;
  /** Options of the file system as a whole. */
  readonly superOptions: readonly string[];
}

/** The kernel writes white space and backslashes of paths in octal. */
function decodeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}

/** Reads the text of a `mountinfo`: its mounts in their order, of which later ones hide earlier ones at the same place. */
export function parseMountInfo(text: string): readonly MountInfo[] {
  return text.split('\n').flatMap((line) => {
    const [before = '', after = ''] = line.split(' - ', 2);
    const [, , , root, mountPoint] = before.split(' ');
    const [type, , superOptions = ''] = after.split(' ');
    if (root === undefined || mountPoint === undefined || type === undefined || type === '') return [];
    return [
      {
        mountPoint: decodeOctal(mountPoint),
        root: decodeOctal(root),
        type,
        superOptions: superOptions.split(','),
      },
    ];
  });
}
