import { userInfo } from 'node:os';

/** The calling user; without a name when the host has none for the id, as in many containers. */
export interface CallingUser {
  readonly uid: number;
  readonly gid: number;
  readonly username: string;
}

/** Looks the calling user up. */
export function callingUser(): CallingUser {
  try {
    const { uid, gid, username } = userInfo();
    return { uid, gid, username };
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'ERR_SYSTEM_ERROR') throw error;
    return { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0, username: '' };
  }
}
