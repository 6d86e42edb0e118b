import { readlinkSync } from 'node:fs';
import { RuntimeError } from '../errors.ts';

/** Descriptors that a JavaScript engine opens for itself: no caller passed them to us. */
const ownKinds = /^anon_inode:\[(eventpoll|eventfd|io_uring|signalfd|timerfd)\]$/;

/**
 * Checks that the descriptors from 3 on were given to this program by its caller. Where one was not, its number is taken by
 * the event loop, which must not reach a container. Throws ERR_OCI_COMMAND_INVALID.
 */
export function checkPreservedFds(count: number): void {
  for (let fd = 3; fd < 3 + count; fd++) {
    let target: string;
    try {
      target = readlinkSync(`/proc/self/fd/${fd}`);
    } catch (cause) {
      throw notOpen(fd, cause);
    }
    if (ownKinds.test(target)) throw notOpen(fd, undefined);
  }
}

function notOpen(fd: number, cause: unknown): RuntimeError {
  return new RuntimeError('ERR_OCI_COMMAND_INVALID', `the descriptor ${fd} to preserve is not open`, {
    actual: fd,
    cause,
  });
}
