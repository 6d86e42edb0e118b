/** Numbers of the system calls that libc has no function for, or none in older versions. */
const numbers = {
  x64: {
    getdents64: 217,
    mknodat: 259,
    newfstatat: 262,
    seccomp: 317,
    statx: 332,
    pidfdSendSignal: 424,
    pidfdOpen: 434,
    openat2: 437,
  },
  arm64: {
    mknodat: 33,
    getdents64: 61,
    newfstatat: 79,
    seccomp: 277,
    statx: 291,
    pidfdSendSignal: 424,
    pidfdOpen: 434,
    openat2: 437,
  },
} as const;

/** The number of a system call on this machine's architecture. Throws on one that is not x64 or arm64. */
export function syscallNumber(name: keyof (typeof numbers)['x64']): number {
  const { arch } = process;
  if (arch !== 'x64' && arch !== 'arm64') throw new Error(`no system call numbers for ${arch}`);
  return numbers[arch][name];
}
