import { readFileSync } from 'node:fs';
import type { InitExit } from './types.ts';
import { exitFrom } from './wait-status.ts';

/** How a container's process ended, as its monitor wrote it; undefined while it runs. */
export function readExitFile(path: string): InitExit | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  const { exitCode, signal } = JSON.parse(text) as { exitCode: number; signal: number };
  return exitFrom(exitCode, signal);
}
