import { fileURLToPath } from 'node:url';
import { type CommandOptions, type CommandResult, command } from './command.ts';

/** The `oci` program as it is built. */
export const ociProgram: string = fileURLToPath(new URL('../../packages/cli/bin/oci.js', import.meta.url));
/** The `oci-runtime` program as it is built. */
export const runtimeProgram: string = fileURLToPath(
  new URL('../../packages/runtime/bin/oci-runtime.js', import.meta.url),
);

/** Where one test's `oci` keeps its images and containers. */
export interface OciHome {
  readonly store: string;
  readonly root: string;
}

/** Directories below `directory`, so that tests never share state. */
export function ociHome(directory: string): OciHome {
  return { store: `${directory}/store`, root: `${directory}/containers` };
}

/** Runs `oci` with its own store and container directory; containers have loopback alone unless `--network` says otherwise. */
export function oci(
  home: OciHome,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const env = {
    ...process.env,
    OCI_STORE: home.store,
    OCI_ROOT: home.root,
    OCI_NETWORK: 'none',
    NO_COLOR: '1',
    ...options.env,
  };
  return command(process.execPath, [ociProgram, ...args], { ...options, env });
}
