import {
  type Digest,
  type DraftLayer,
  draftOf,
  editTime,
  type ImageDraft,
  type ImageSource,
  type Platform,
  withHistory,
  withLayer,
} from '@ocijs/image';
import { type ConfigState, DEFAULT_PATH, environmentOf } from '../config/apply-instruction.ts';
import { type StageScope, startScope } from '../dockerfile/evaluate/scope.ts';

/** A stage between two of its instructions. */
export interface StageState {
  /** The layers, and the config with its history; what containers start with is in `config`. */
  readonly draft: ImageDraft;
  readonly config: ConfigState;
  readonly scope: StageScope;
}

/** The start of a stage whose base is nothing. */
export function emptyState(platform: Platform): StageState {
  const draft: ImageDraft = {
    manifest: { schemaVersion: 2 },
    config: { ...platform, rootfs: { type: 'layers', diff_ids: [] } },
    layers: [],
  };
  return stateOf(draft);
}

/** The start of a stage whose base is an image. Its triggers are for the stage to run and not for the image that it makes. */
export function stateFromImage(image: ImageSource): StageState {
  const draft = draftOf(image);
  const { annotations: _ofTheBase, ...manifest } = draft.manifest;
  return stateOf({ ...draft, manifest });
}

/** The start of a stage that goes on where another one ended. */
export function stateFromStage({ draft, config }: StageState): StageState {
  return stateOf({ ...draft, config: { ...draft.config, config: config.config } });
}

function stateOf(draft: ImageDraft): StageState {
  const { OnBuild: _triggers, ...config } = draft.config.config ?? {};
  const complete = config.Env === undefined ? { ...config, Env: [`PATH=${DEFAULT_PATH}`] } : config;
  return {
    draft,
    config: { config: complete, ownCommand: false },
    scope: startScope(environmentOf(complete)),
  };
}

export function lowerLayers({ draft }: StageState): readonly Digest[] {
  return draft.layers.map(({ diffId }) => diffId);
}

/** The state after a step that made a layer, or none. */
export function withStep(
  state: StageState,
  {
    layer,
    createdBy,
    created,
  }: {
    readonly layer: DraftLayer | undefined;
    readonly createdBy: string;
    readonly created: number | undefined;
  },
): StageState {
  const record = { createdBy, comment: 'oci build', created };
  const draft =
    layer === undefined ? withHistory(state.draft, record) : withLayer(state.draft, layer, record);
  return { ...state, draft };
}

/** The image config that the state stands for. */
export function completeDraft({ draft, config }: StageState): ImageDraft {
  return { ...draft, config: { ...draft.config, config: config.config } };
}

/** The time of the files that the stage makes, in nanoseconds since 1970. */
export function fileTime(state: StageState, created: number | undefined): bigint {
  return BigInt(Math.floor(Date.parse(editTime(state.draft, { created })) / 1000)) * 1_000_000_000n;
}
