import type { Snapshots } from '@ocijs/bundle';
import type { Digest, Store } from '@ocijs/image';
import type { NotedMount } from '../cache/export-cache.ts';
import type { ImportedCaches } from '../cache/imported-caches.ts';
import type { StepCache } from '../cache/step-cache.ts';
import type { StepLayers } from '../cache/step-layers.ts';
import type { CopyRoot } from '../copy/select-files.ts';
import type { BuildPlan, StageSource } from '../dockerfile/graph/plan.ts';
import type { DockerfileSyntax } from '../dockerfile/syntax/parse.ts';
import type { SourceRecord } from '../sources/source-record.ts';
import type { StageState } from './stage-state.ts';
import type { BuildOptions } from './types.ts';

/** What the steps of a build have in common. */
export interface BuildEnvironment {
  readonly options: BuildOptions;
  readonly plan: BuildPlan;
  readonly syntax: DockerfileSyntax;
  readonly store: Store;
  readonly snapshots: Snapshots;
  readonly layers: StepLayers;
  readonly cache: StepCache;
  /** What other caches offer. */
  readonly imported: ImportedCaches;
  /** Told of each cache mount that is used. */
  noteMount(mount: NotedMount): void;
  /** What the build takes from outside. */
  readonly sources: SourceRecord;
  /** A directory of this build alone, removed at its end. */
  readonly scratch: string;
  /** The files of a source, opened for reading; dispose of it after use. */
  openSource(source: StageSource, options: { readonly stage: number }): Promise<CopyRoot & Disposable>;
  /** The layers that the files of a source are in, the lowest first; undefined for contexts. */
  layersOf(source: StageSource, options: { readonly stage: number }): Promise<readonly Digest[] | undefined>;
  /** The file system of a stage as it is now; dispose of it after use. */
  openState(state: StageState): Promise<CopyRoot & Disposable>;
}

/** What an instruction becomes, and whether it ran. */
export interface StepOutcome {
  readonly state: StageState;
  readonly status: 'done' | 'cached';
}
