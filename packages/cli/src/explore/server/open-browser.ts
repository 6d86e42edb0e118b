import { spawn } from 'node:child_process';
import { environment, isUnattended } from '../../env.ts';

/** Whether a browser that opens by itself would be seen by the one who asked: at a desktop, not over ssh or in CI. */
export function hasDesktop(env: typeof environment = environment): boolean {
  if (isUnattended(env) || env['SSH_CONNECTION'] !== undefined) return false;
  return (
    process.platform === 'darwin' || env['DISPLAY'] !== undefined || env['WAYLAND_DISPLAY'] !== undefined
  );
}

/** Opens an address in the user's browser; false when there is no program that does. */
export async function openBrowser(url: string): Promise<boolean> {
  const program = process.platform === 'darwin' ? 'open' : 'xdg-open';
  const child = spawn(program, [url], { stdio: 'ignore', detached: true });
  const isStarted = await new Promise<boolean>((resolve) => {
    child.once('spawn', () => resolve(true));
    child.once('error', () => resolve(false));
  });
  // The browser may be its child and stay: nobody waits for it.
  child.unref();
  return isStarted;
}
