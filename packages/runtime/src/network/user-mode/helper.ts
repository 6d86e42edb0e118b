import { readFileSync } from 'node:fs';
import { signalProcess, waitForEnd } from '../../process/signal.ts';
import { identify, type ProcessIdentity } from '../../process/stat.ts';
import { containerDirectory } from '../../state/store.ts';

/** How long, in milliseconds, a helper may take to end by itself when it is told to. */
const patience = 2000;

/** Ends a helper that moves packets; one that has ended already is fine. */
export async function endHelper(helper: ProcessIdentity): Promise<void> {
  if (!signalProcess(helper, 15)) return;
  if (await waitForEnd(helper, { timeout: patience })) return;
  if (signalProcess(helper, 9)) await waitForEnd(helper);
}

/** Where pasta writes its process id, before anything else could note it. */
export function pidFile(root: string, id: string): string {
  return `${containerDirectory(root, id)}/pasta.pid`;
}

/** The pasta that a process id file names, when it is one: the id may belong to another process by now. */
export function pastaOf(root: string, id: string): ProcessIdentity | undefined {
  try {
    const pid = Number.parseInt(readFileSync(pidFile(root, id), 'utf8'), 10);
    const name = readFileSync(`/proc/${pid}/comm`, 'utf8');
    return /^pas(?:ta|st)/.test(name) ? identify(pid) : undefined;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ESRCH') return undefined;
    throw error;
  }
}
