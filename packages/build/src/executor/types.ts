import type { Descriptor, ImageSource, OnEvent, Platform, Store } from '@ocijs/image';
import type { BuildContext } from '../context/context.ts';

/** Finds the images that `FROM` and `--from` name: in a store, a registry, wherever the caller has them. */
export type ResolveImage = (
  name: string,
  options: {
    readonly platform: Platform;
    readonly signal?: AbortSignal | undefined;
    readonly onEvent?: OnEvent | undefined;
  },
) => Promise<ImageSource>;

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

/** Options of {@link build}. */
export interface BuildOptions {
  /** The files that `COPY` and `ADD` see; without one there are none. */
  readonly context?: BuildContext | undefined;
  /** The text of the Dockerfile. */
  readonly dockerfile: string;
  /** Where images and layers are kept. */
  readonly store: Store;
  readonly resolveImage: ResolveImage;
  /** `--build-arg`. */
  readonly arguments?: ReadonlyMap<string, string> | undefined;
  /** The stage to build; by itself the last one. */
  readonly target?: string | undefined;
  /** What the image is for; by itself this host. */
  readonly platform?: Platform | undefined;
  /** Further contexts, by name. */
  readonly contexts?: ReadonlyMap<string, BuildContext> | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  /** Of the manifest. */
  readonly annotations?: Readonly<Record<string, string>> | undefined;
  /** Names that the image gets in the store. */
  readonly names?: readonly string[] | undefined;
  /** Run every step, whatever earlier builds did. */
  readonly noCache?: boolean | undefined;
  /** What `RUN` has by itself: the network of this host, or none. */
  readonly network?: 'host' | 'none' | undefined;
  /** The values of `RUN --mount=type=secret`, by id. They go nowhere else. */
  readonly secrets?: ReadonlyMap<string, Uint8Array> | undefined;
  /** The sockets of ssh agents for `RUN --mount=type=ssh`, by id. */
  readonly agents?: ReadonlyMap<string, string> | undefined;
  /**
   * Seconds since 1970 (`SOURCE_DATE_EPOCH`): the time of everything the build makes. By itself when the base was
   * created, so that the same build gives the same digest on any day.
   */
  readonly created?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onEvent?: ((event: BuildEvent) => void) | undefined;
}

export interface BuildResult {
  /** Describes the manifest, with the platform. */
  readonly descriptor: Descriptor;
  readonly image: ImageSource;
  /** The steps that ran, and those that did not have to. */
  readonly steps: { readonly done: number; readonly cached: number };
}
