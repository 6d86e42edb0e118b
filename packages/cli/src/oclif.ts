import { Config } from '@oclif/core';
import { packageRoot, packageVersion } from './package.ts';

/**
 * What oclif is to know of us. Its own way to find that out reads the packages, plugins, hooks and themes of a tool that
 * has them; this one has none, and `main` knows its commands.
 */
class FixedConfig extends Config {
  override bin = 'oci';
  override dirname = 'oci';
  override name = '@ocijs/cli';
  override root = packageRoot;
  override topicSeparator = ' ' as const;
  override version: string = packageVersion();
  override userAgent = `oci/${packageVersion()}`;
  override pjson = { name: this.name, version: this.version, oclif: { bin: this.bin } };

  constructor() {
    super({ root: packageRoot });
  }

  override async runHook(): Promise<{ successes: []; failures: [] }> {
    return { successes: [], failures: [] };
  }
}

let config: Config | undefined;

/** The configuration that oclif's classes ask for. */
export function oclifConfig(): Config {
  config ??= new FixedConfig();
  return config;
}
