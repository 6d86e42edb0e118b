import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';

/** How a person is asked. */
export interface PromptOptions {
  /** What is typed is not shown. Default false. */
  readonly isSecret?: boolean;
  readonly signal: AbortSignal;
}

/** Asks a person at the terminal for one line; the question stands on stderr, apart from results. */
export async function prompt(question: string, { isSecret = false, signal }: PromptOptions): Promise<string> {
  // readline echoes what is typed to its output, so a secret gets an output that shows nothing.
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({
    input: process.stdin,
    output: isSecret ? silent : process.stderr,
    terminal: true,
    historySize: 0,
  });
  try {
    if (isSecret) process.stderr.write(question);
    // In raw mode the terminal sends no signal for Ctrl-C.
    lines.once('SIGINT', () => process.kill(process.pid, 'SIGINT'));
    return await lines.question(isSecret ? '' : question, { signal });
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    if (isSecret) process.stderr.write('\n');
    lines.close();
  }
}
