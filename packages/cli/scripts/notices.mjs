// Part of the build: the licences of what the bundle contains, as they ask for.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';

/** The licence texts of all packages that went into a build. */
export function notices({ inputs }) {
  const packages = new Set();
  for (const input of Object.keys(inputs)) {
    const match = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input);
    if (match) packages.add(resolve(process.cwd(), match[1]));
  }
  const parts = [...packages].sort().map((path) => noticeOf(path));
  return `oci contains the following software.\n\n${parts.join('\n')}`;
}

function noticeOf(path) {
  const { name, version, license } = JSON.parse(readFileSync(`${path}/package.json`, 'utf8'));
  const file = readdirSync(path).find((entry) => /^licen[cs]e/i.test(entry));
  const text = file && existsSync(`${path}/${file}`) ? readFileSync(`${path}/${file}`, 'utf8').trim() : '';
  return `${'-'.repeat(80)}\n${name} ${version} (${license})\n\n${text}\n`;
}
