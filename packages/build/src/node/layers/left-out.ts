/**
 * What is in no image, wherever it lies: what others may not see (registries' tokens, passwords, the history of the
 * repository), and what only the tools of a developer read. A pattern of an ignore file does not take it back.
 */
const names: ReadonlySet<string> = new Set([
  '.npmrc',
  '.yarnrc',
  '.yarnrc.yml',
  '.netrc',
  '.git-credentials',
  '.git',
  '.hg',
  '.svn',
  '.DS_Store',
]);

/** At the top of a project: what says how it is installed and built. */
const ofProjects: ReadonlySet<string> = new Set([
  'npm-shrinkwrap.json',
  'package-lock.json',
  'pnpm-lock.yaml',
  'pnpm-workspace.yaml',
  'yarn.lock',
  'oci.lock',
  'Dockerfile',
  'Containerfile',
  '.dockerignore',
  '.gitignore',
  '.gitattributes',
  '.yarn',
  '.pnpm-store',
]);

/** True for a name that is left out of packages and of applications. */
export function isSecretOrTool(name: string): boolean {
  return names.has(name) || /^\.env(?:\.|$)/.test(name);
}

/** True for a name that is left out at the top of a project. */
export function isOfProject(name: string): boolean {
  return ofProjects.has(name) || name.endsWith('.dockerignore');
}
