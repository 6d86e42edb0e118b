#!/usr/bin/env node
import { statSync } from 'node:fs';
import module from 'node:module';

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 19)) {
  process.stderr.write(`error: oci needs Node.js 22.19 or later, and this is ${process.versions.node}\n`);
  process.exit(1);
}
// Never Node's default, a directory in /tmp that others may fill: what is cached is code. Nor another user's home, as under sudo.
const { XDG_CACHE_HOME, HOME } = process.env;
const caches = XDG_CACHE_HOME ?? (HOME && `${HOME}/.cache`);
if (caches && statSync(caches, { throwIfNoEntry: false })?.uid === process.getuid?.())
  module.enableCompileCache?.(`${caches}/oci/compile`);
const { main } = await import('../dist/main.js');
process.exit(await main(process.argv.slice(2)));
