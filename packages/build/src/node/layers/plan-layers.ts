import { posix } from 'node:path';
import type { LayeredTree } from '@ocijs/bundle';
import { checkBinaries } from '../installed/check-binaries.ts';
import type { Installation, InstalledPackage } from '../installed/installation.ts';
import { isConstrained, type NodeTarget } from '../installed/target.ts';
import type { NodeProject } from '../project/node-project.ts';
import { join } from '../project/paths.ts';
import { groupPackages, type PackageFiles } from './group-packages.ts';
import { moduleLinks } from './module-links.ts';
import type { NodeFile } from './node-file.ts';
import { packageFiles } from './package-files.ts';
import { projectFiles } from './project-files.ts';
import { walkFiles } from './walk-files.ts';

/** Files that make one layer. */
export interface PlannedLayer {
  /** For the history: what is in it. */
  readonly text: string;
  readonly files: readonly NodeFile[];
  /** Published packages are the same for ever; the rest changes with the repository. */
  readonly isPublished: boolean;
}

export interface PlanLayersOptions {
  readonly installation: Installation;
  readonly target: Pick<NodeTarget, 'os' | 'cpu'>;
  /** For messages: `linux/amd64`. */
  readonly platform: string;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The layers of a project, those that change least first: published packages (see {@link groupPackages}); packages of this
 * repository and from elsewhere, with the links of `node_modules`; the project itself, which is the last one.
 */
export function planLayers(
  { tree, lock, directory, manifest }: NodeProject,
  { installation, target, platform, signal }: PlanLayersOptions,
): { readonly layers: readonly PlannedLayer[]; readonly warnings: readonly string[] } {
  const warnings: string[] = [];
  const members = new Set(lock.members);
  const places = new Set(installation.packages.map((one) => one.directory));
  const filesOf = (installed: InstalledPackage): PackageFiles => {
    if (installed.origin === 'project') {
      const files = projectFiles(tree, installed.directory, {
        manifest: installed.manifest,
        others: except(members, installed.directory),
        signal,
      });
      return { installed, files, isOfPlatform: false };
    }
    const files = packageFiles(tree, installed, {
      others: except(places, installed.directory),
      signal,
    });
    const { manager } = lock;
    const checked = checkBinaries(tree, installed, { files, target, platform, manager });
    if (checked.warning !== undefined) warnings.push(checked.warning);
    return {
      installed,
      files,
      isOfPlatform: checked.hasBinaries || isConstrained(installed.manifest.constraints),
    };
  };
  const all = installation.packages.map(filesOf);
  const published = all.filter(({ installed }) => installed.origin === 'registry');
  const own = all.filter(({ installed }) => installed.origin !== 'registry');
  const links = [...moduleLinks(tree, { installation, directory })].map(
    ([path, target]): NodeFile => ({ kind: 'link', path, target }),
  );
  const generated = installation.packages.flatMap((one) => generatedFiles(tree, one, signal));
  const ownFiles = [...own.flatMap(({ files }) => files), ...generated, ...links];
  const ownText = own.length === 0 ? 'links in node_modules' : `packages of the repository: ${namesOf(own)}`;
  return {
    layers: [
      ...groupPackages(published).map(({ kind, packages }) => ({
        text: `${kind === 'platform' ? `packages for ${platform}` : 'packages'}: ${namesOf(packages)}`,
        files: packages.flatMap(({ files }) => files),
        isPublished: true,
      })),
      ...(ownFiles.length === 0 ? [] : [{ text: ownText, files: ownFiles, isPublished: false }]),
      {
        text: `application ${manifest.name ?? posix.basename(directory)}`,
        files: projectFiles(tree, directory, { manifest, others: except(members, directory), signal }),
        isPublished: false,
      },
    ],
    warnings,
  };
}

function except(set: ReadonlySet<string>, one: string): ReadonlySet<string> {
  return new Set([...set].filter((each) => each !== one));
}

/** What Prisma generates beside its client, for the client to load: no lock file has it. */
function generatedFiles(
  tree: LayeredTree,
  { directory, manifest }: InstalledPackage,
  signal: AbortSignal | undefined,
): readonly NodeFile[] {
  if (manifest.name !== '@prisma/client') return [];
  const place = join(posix.dirname(posix.dirname(directory)), '.prisma');
  return walkFiles(tree, place, { within: place, leavesOut: () => false, signal });
}

const shownNames = 3;

function namesOf(packages: readonly PackageFiles[]): string {
  const names = [...new Set(packages.map(({ installed }) => installed.manifest.name ?? installed.directory))];
  const shown = names.slice(0, shownNames).join(', ');
  return names.length > shownNames ? `${shown} and ${names.length - shownNames} more` : shown;
}
