import type { Access } from './gatekeeper.ts';

/** The scope that a challenge names for what a request wants (distribution's token specification). */
export function scopeOf({ repository, action }: Access): string {
  return `repository:${repository}:${action === 'push' ? 'pull,push' : action}`;
}

/** What a scope asks for, each as `repository:action`; nothing for scopes that are not about repositories. */
export function actionsOf(scope: string): readonly string[] {
  const match = /^repository:([^:]+(?::\d+\/[^:]+)?):([a-z,*]+)$/.exec(scope);
  if (match === null) return [];
  const actions = match[2] === '*' ? ['pull', 'push', 'delete'] : (match[2] ?? '').split(',');
  return actions.map((action) => `${match[1]}:${action}`);
}
