import { homedir } from 'node:os';

/** Environment variables, as in `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The environment of this process: the only place of the package that reads it. */
export function processEnvironment(): Environment {
  return process.env;
}

/** The home directory: `HOME`, else what the user database says. */
export function homeDirectory(env: Environment): string {
  const home = env['HOME'];
  return home === undefined || home === '' ? homedir() : home;
}
