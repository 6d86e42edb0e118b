import { PROXY_ARGUMENTS } from '../../dockerfile/evaluate/platform-arguments.ts';
import type { StageState } from '../stage-state.ts';

/** Arguments are variables of `RUN`, but never of the image. */
export function runEnvironment(state: StageState, given: ReadonlyMap<string, string>): readonly string[] {
  const proxies = PROXY_ARGUMENTS.flatMap((name) =>
    given.has(name) ? [`${name}=${given.get(name) ?? ''}`] : [],
  );
  return [...proxies, ...[...state.scope.stageArguments].map(([name, value]) => `${name}=${value}`)];
}
