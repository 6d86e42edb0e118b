import { BundleError } from '../errors.ts';
import { defaultPath } from './defaults.ts';

function nameOf(variable: string): string {
  const end = variable.indexOf('=');
  return end === -1 ? variable : variable.slice(0, end);
}

/**
 * One list of `NAME=value` from several: a later value replaces an earlier one of the same name in its
 * place, so that no name occurs twice.
 */
export function mergeEnvironment(...lists: readonly (readonly string[])[]): string[] {
  const variables = new Map<string, string>();
  for (const variable of lists.flat()) variables.set(nameOf(variable), variable);
  return [...variables.values()];
}

/**
 * The environment of a process of an image: the image's own, after a default `PATH` and `TERM`, and with
 * the user's `HOME` when the image sets none. Throws ERR_OCI_SPEC_INVALID for an entry that is not `NAME=value`.
 */
export function imageEnvironment(
  variables: readonly string[],
  options: { readonly home: string | undefined },
): string[] {
  for (const [index, variable] of variables.entries()) {
    if (variable.indexOf('=') > 0) continue;
    throw new BundleError(
      'ERR_OCI_SPEC_INVALID',
      `environment entry ${index} of the image is not NAME=value`,
      {
        jsonPath: `$.config.Env[${index}]`,
      },
    );
  }
  const environment = mergeEnvironment([defaultPath, 'TERM=xterm'], variables);
  const hasHome = environment.some((variable) => nameOf(variable) === 'HOME');
  return hasHome || options.home === undefined ? environment : [...environment, `HOME=${options.home}`];
}
