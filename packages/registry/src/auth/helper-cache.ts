import type { Credentials } from '../options.ts';
import { askHelper, type HelperRequest } from './helper.ts';
import { remembered } from './helper-answers.ts';

/** {@link askHelper}, whose answer is remembered for this process for five minutes. */
export function askHelperOnce(name: string, request: HelperRequest): Promise<Credentials | undefined> {
  const { server, env } = request;
  // The same name may be another program, and the same program may look elsewhere.
  const key = JSON.stringify([name, server, env['PATH'], env['HOME']]);
  return remembered(key, () => askHelper(name, request));
}
