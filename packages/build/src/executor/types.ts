import type { Descriptor, ImageSource, OnEvent, Platform, Store } from '@ocijs/image';
import type { CacheConfig } from '../cache/cache-config.ts';
import type { CacheExport } from '../cache/export-cache.ts';
import type { CacheSource } from '../cache/imported-caches.ts';
import type { BuildContext } from '../context/context.ts';
import type { Dockerfile } from '../dockerfile/dockerfile.ts';
import type { BuildSource } from '../sources/source-record.ts';

/** Finds the images that `FROM` and `--from` name: in a store, a registry, wherever the caller has them. */
export type ResolveImage = (
  name: string,
  options: {
    readonly platform: Platform;
    readonly signal?: AbortSignal | undefined;
    readonly onEvent?: OnEvent | undefined;
  },
) => Promise<ImageSource>;

/** A context that is an image. */
export interface ContextImage {
  readonly image: string;
}

/** What happens during a build. Steps are numbered within their stage. */
export type BuildEvent =
  | { readonly type: 'stage-start'; readonly stage: string; readonly steps: number }
  | {
      readonly type: 'step-start';
      readonly stage: string;
      readonly step: number;
      readonly steps: number;
      /** The instruction with its variables replaced, as far as they are; no secrets are in it. */
      readonly text: string;
    }
  | {
      readonly type: 'step-output';
      readonly stage: string;
      readonly step: number;
      readonly stream: 'stdout' | 'stderr';
      readonly line: string;
    }
  | {
      readonly type: 'step-done';
      readonly stage: string;
      readonly step: number;
      /** `cached`: an earlier build did the same. */
      readonly status: 'done' | 'cached';
      readonly milliseconds: number;
    }
  | { readonly type: 'warning'; readonly code: string; readonly message: string };

/** Rights that a Dockerfile has only when the caller gives them. */
export type BuildRight = 'security.insecure' | 'network.host';

/** A step that failed, whose file system is still there to be looked at. */
export interface FailedStep {
  readonly stage: string;
  readonly step: number;
  readonly error: Error;
  /**
   * Runs another command where the step ran, with its variables and mounts, secrets included; by itself its shell.
   * Resolves with the exit code. What it changes goes nowhere.
   */
  run(options?: {
    readonly args?: readonly string[];
    readonly terminal?: boolean;
    readonly stdio?: 'inherit' | 'pipe' | 'ignore';
  }): Promise<number>;
}

/** What images are made with, whatever they are made of. */
export interface ImageOptions {
  /** Where images and layers are kept. */
  readonly store: Store;
  /** By itself images are those of the store. */
  readonly resolveImage?: ResolveImage | undefined;
  /** What the image is for; by itself this host. */
  readonly platform?: Platform | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  /** Of the manifest. */
  readonly annotations?: Readonly<Record<string, string>> | undefined;
  /** Names that the image gets in the store. */
  readonly names?: readonly string[] | undefined;
  /** Run every step, whatever earlier builds did. */
  readonly noCache?: boolean | undefined;
  /** Caches of other machines. What they say of their layers is checked; what steps made there is believed. */
  readonly cacheFrom?: readonly CacheSource[] | undefined;
  /** What is to be put together for other machines, one in {@link BuildResult.caches} for each. */
  readonly cacheTo?: readonly CacheExport[] | undefined;
  /** The config of the image tells the steps that made its layers, so that it can be a cache itself (`type=inline`). */
  readonly inlineCache?: boolean | undefined;
  /** One layer for all that the target adds to its base. */
  readonly squash?: boolean | undefined;
  /** What the sources have to be: `parseLock` reads it. Whatever else is met fails the build. */
  readonly locked?: readonly BuildSource[] | undefined;
  /**
   * Seconds since 1970 (`SOURCE_DATE_EPOCH`): the time of everything the build makes. By itself when the base was
   * created, so that the same build gives the same digest on any day.
   */
  readonly created?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onEvent?: ((event: BuildEvent) => void) | undefined;
}

/** Options of {@link build}. */
export interface BuildOptions extends ImageOptions {
  /** The files that `COPY` and `ADD` see; without one there are none. */
  readonly context?: BuildContext | undefined;
  /** The text of the Dockerfile, or what `parseDockerfile` makes of it. */
  readonly dockerfile: string | Dockerfile;
  /** `--build-arg`. */
  readonly arguments?: ReadonlyMap<string, string> | undefined;
  /** The stage to build; by itself the last one. */
  readonly target?: string | undefined;
  /** Further contexts, by name: files, or the name of an image for `resolveImage`. They hide stages and images of that name. */
  readonly contexts?: ReadonlyMap<string, BuildContext | ContextImage> | undefined;
  /** What `RUN` has by itself: the network of this host, or none. */
  readonly network?: 'host' | 'none' | undefined;
  /** What Dockerfiles may ask for beyond that: `RUN --security=insecure`, and `--network=host` where `network` is `none`. */
  readonly allow?: ReadonlySet<BuildRight> | undefined;
  /** Called before a failed `RUN` is cleaned up; the build fails after it. */
  readonly onStepFailed?: ((step: FailedStep) => Promise<void>) | undefined;
  /**
   * The values of `RUN --mount=type=secret`, by id. They go nowhere else but, under the names that BuildKit gives them
   * (`GIT_AUTH_TOKEN`, `HTTP_AUTH_TOKEN_host`), to the servers of `ADD`.
   */
  readonly secrets?: ReadonlyMap<string, Uint8Array> | undefined;
  /** The sockets of ssh agents for `RUN --mount=type=ssh`, by id. */
  readonly agents?: ReadonlyMap<string, string> | undefined;
}

export interface BuildResult {
  /** Describes the manifest, with the platform. */
  readonly descriptor: Descriptor;
  readonly image: ImageSource;
  /** For `writeCacheManifest`, in the order of `cacheTo`. */
  readonly caches: readonly CacheConfig[];
  /** What the build took from outside. */
  readonly sources: readonly BuildSource[];
  /** The steps that ran, and those that did not have to. */
  readonly steps: { readonly done: number; readonly cached: number };
}
