import type { ExecutionConfig } from '../manifest/types.ts';
import type { ImageDraft } from './draft.ts';
import { type EditRecord, withHistory } from './history.ts';

/** A map or set of names to change: all are cleared first when `clear` is set, then some removed, then others set. */
export interface MapChanges {
  readonly clear?: boolean | undefined;
  readonly remove?: readonly string[] | undefined;
  readonly set?: Readonly<Record<string, string>> | undefined;
}

/** What to change of an image's configuration; what is not named stays. An empty list or text removes the field. */
export interface ConfigChanges {
  readonly entrypoint?: readonly string[] | undefined;
  readonly cmd?: readonly string[] | undefined;
  /** `NAME=value`; a name that is there keeps its place. */
  readonly env?: MapChanges | undefined;
  readonly labels?: MapChanges | undefined;
  /** The values are not used. */
  readonly exposedPorts?: MapChanges | undefined;
  readonly volumes?: MapChanges | undefined;
  readonly user?: string | undefined;
  readonly workingDir?: string | undefined;
  readonly stopSignal?: string | undefined;
  readonly author?: string | undefined;
  readonly os?: string | undefined;
  readonly architecture?: string | undefined;
  readonly variant?: string | undefined;
}

/** Changes what containers of the image start with, and who made it. */
export function withConfig(draft: ImageDraft, changes: ConfigChanges, record: EditRecord): ImageDraft {
  const { author, os, architecture, variant } = changes;
  const { variant: oldVariant, author: oldAuthor, config, ...rest } = draft.config;
  const execution = changedExecution(config ?? {}, changes);
  const newVariant = variant ?? oldVariant;
  const newAuthor = author ?? oldAuthor;
  const changed = {
    ...rest,
    ...(os === undefined ? {} : { os }),
    ...(architecture === undefined ? {} : { architecture }),
    ...(newVariant === undefined || newVariant === '' ? {} : { variant: newVariant }),
    ...(newAuthor === undefined || newAuthor === '' ? {} : { author: newAuthor }),
    ...(Object.keys(execution).length === 0 ? {} : { config: execution }),
  };
  return withHistory({ ...draft, config: changed }, record);
}

function changedExecution(old: ExecutionConfig, changes: ConfigChanges): ExecutionConfig {
  const { entrypoint, cmd, env, labels, exposedPorts, volumes, user, workingDir, stopSignal } = changes;
  const fields: Record<string, unknown> = { ...old };
  const put = (name: keyof ExecutionConfig, value: unknown, isEmpty: boolean): void => {
    if (value === undefined) return;
    if (isEmpty) delete fields[name];
    else fields[name] = value;
  };
  put('Entrypoint', entrypoint, entrypoint?.length === 0);
  put('Cmd', cmd, cmd?.length === 0);
  put('User', user, user === '');
  put('WorkingDir', workingDir, workingDir === '');
  put('StopSignal', stopSignal, stopSignal === '');
  if (env !== undefined) {
    const variables = changedVariables(old.Env ?? [], env);
    put('Env', variables, variables.length === 0);
  }
  if (labels !== undefined) {
    const changed = changedMap(old.Labels ?? {}, labels);
    put('Labels', changed, Object.keys(changed).length === 0);
  }
  for (const [name, set] of [
    ['ExposedPorts', exposedPorts],
    ['Volumes', volumes],
  ] as const) {
    if (set === undefined) continue;
    const names = changedMap(Object.fromEntries(Object.keys(old[name] ?? {}).map((key) => [key, ''])), set);
    const emptied = Object.fromEntries(Object.keys(names).map((key) => [key, old[name]?.[key] ?? {}]));
    put(name, emptied, Object.keys(emptied).length === 0);
  }
  return fields as ExecutionConfig;
}

/** Applies changes to a map, such as labels or annotations. */
export function changedMap(
  old: Readonly<Record<string, string>>,
  { clear = false, remove = [], set = {} }: MapChanges,
): Readonly<Record<string, string>> {
  const removed = new Set(remove);
  const kept = Object.entries(clear ? {} : old).filter(([name]) => !removed.has(name));
  return Object.fromEntries([...kept, ...Object.entries(set)]);
}

function changedVariables(old: readonly string[], changes: MapChanges): readonly string[] {
  const nameOf = (variable: string): string => variable.slice(0, variable.indexOf('='));
  const values = Object.fromEntries(
    old.map((variable) => [nameOf(variable), variable.slice(nameOf(variable).length + 1)]),
  );
  return Object.entries(changedMap(values, changes)).map(([name, value]) => `${name}=${value}`);
}

/** Changes the annotations of the manifest. */
export function withAnnotations(draft: ImageDraft, changes: MapChanges): ImageDraft {
  const { annotations: old, ...rest } = draft.manifest;
  const annotations = changedMap(old ?? {}, changes);
  return {
    ...draft,
    manifest: Object.keys(annotations).length === 0 ? rest : { ...rest, annotations },
  };
}
