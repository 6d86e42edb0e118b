import { debuglog, styleText } from 'node:util';
import { Interrupted } from '../errors.ts';
import { codeOf } from '../exit-codes.ts';
import { writeJson } from './json.ts';
import { describeSystemError } from './system-error.ts';
import { printable } from './text.ts';

/** The `error` of a failed `--json` document. */
export interface FailureDocument {
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
  readonly cause?: string;
}

/** What a person or a program is told about an error; never a stack. */
export function describeFailure(error: unknown): FailureDocument {
  const known = failureCode(error) === 'ERR_OCI_SYSTEM' ? describeSystemError(error) : undefined;
  const message = known?.message ?? (error instanceof Error ? error.message : String(error));
  const own = typeof error === 'object' && error !== null && 'hint' in error ? error.hint : undefined;
  const hint = own ?? known?.hint;
  const cause = error instanceof Error ? causeChain(error.cause) : '';
  return {
    code: failureCode(error),
    message,
    ...(typeof hint === 'string' ? { hint } : {}),
    ...(cause === '' ? {} : { cause }),
  };
}

function failureCode(error: unknown): string {
  const code = codeOf(error);
  if (code?.startsWith('ERR_OCI_')) return code;
  if (error instanceof Interrupted) return 'ERR_OCI_INTERRUPTED';
  return error instanceof Error && 'syscall' in error ? 'ERR_OCI_SYSTEM' : 'ERR_OCI_INTERNAL';
}

function causeChain(cause: unknown, depth = 0): string {
  if (cause === undefined || depth > 5) return '';
  if (!(cause instanceof Error)) return String(cause);
  const deeper = causeChain(cause.cause, depth + 1);
  return deeper === '' || cause.message.includes(deeper) ? cause.message : `${cause.message}: ${deeper}`;
}

/** Reports an error: a JSON document on stdout, or two lines on stderr. The stack is for `DEBUG=oci:*` alone. */
export async function reportFailure(error: unknown, { json }: { readonly json: boolean }): Promise<void> {
  const failure = describeFailure(error);
  if (json) {
    const result =
      typeof error === 'object' && error !== null && 'result' in error ? error.result : undefined;
    await writeJson({ ...(isObject(result) ? result : {}), error: failure });
  } else {
    const lines = [`${paint('red', 'error:')} ${paragraph(failure.message)}`];
    if (failure.cause !== undefined && !failure.message.includes(failure.cause)) {
      lines.push(`${paint('dim', 'cause:')} ${printable(failure.cause)}`);
    }
    if (failure.hint !== undefined) lines.push(`${paint('cyan', 'hint:')} ${printable(failure.hint)}`);
    process.stderr.write(`${lines.join('\n')}\n`);
  }
  if (isDebugging() && error instanceof Error) process.stderr.write(`${error.stack ?? ''}\n`);
}

/** Lines stay lines, as of an excerpt; those below the first are indented, so that none of them looks like a line of ours. */
function paragraph(text: string): string {
  return text
    .split('\n')
    .map((line, index) => (index === 0 || line.startsWith('  ') ? printable(line) : `  ${printable(line)}`))
    .join('\n');
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isDebugging(): boolean {
  const names = (process.env['DEBUG'] ?? '').split(/[\s,]+/);
  return names.some((name) => name === '*' || name.startsWith('oci')) || debuglog('oci').enabled;
}

function paint(style: 'red' | 'dim' | 'cyan', text: string): string {
  return styleText(style, text, { stream: process.stderr });
}
